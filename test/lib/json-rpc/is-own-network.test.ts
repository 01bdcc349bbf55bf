import { expect, it } from 'vitest';
import { isOwnNetwork } from '../../../src/lib/json-rpc/is-own-network.ts';

it.each(['localhost:8545', '127.0.0.1', '10.1.2.3', '172.31.0.1', '192.168.1.1:80', '[::1]:8545', '[fd00::1]'])(
  '%s is',
  (host) => {
    expect(isOwnNetwork(`http://${host}/key`)).toBe(true);
  },
);

it.each(['eth.drpc.org', '172.32.0.1', '8.8.8.8', '[2001:db8::1]', 'localhost.example.com', '127.0.0.1.example.com'])(
  '%s is not',
  (host) => {
    expect(isOwnNetwork(`https://${host}/127.0.0.1`)).toBe(false);
  },
);
