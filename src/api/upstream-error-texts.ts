import type { UpstreamErrorCode } from '../domain/errors.ts';
import type { ErrorText } from './error-texts.ts';

/** What can go wrong with endpoints of chains and price sources; `sources[]` of an answer name these codes too. */
export const upstreamErrorTexts = {
  upstream_timeout: {
    meaning: 'An endpoint of a chain or a price source took too long.',
    cause: 'It is overloaded, or the connection to it is bad. Other endpoints were tried first where there are any.',
    remedy: 'Nothing is lost: the last good figures stay, with their age. It is tried again by itself.',
  },
  upstream_unreachable: {
    meaning: 'No connection to an endpoint could be made.',
    cause: 'It is down, its name does not resolve, its certificate is not valid, or there is no network.',
    remedy: 'If it lasts, check the endpoint in the configuration.',
  },
  upstream_too_large: {
    meaning: 'An endpoint sent more than an answer may have.',
    cause: 'It has a fault, or it is not what it claims to be. Nothing of the answer was used.',
    remedy: 'Use another endpoint for this chain.',
  },
  upstream_redirect: {
    meaning: 'An endpoint sent us elsewhere.',
    cause: 'Redirects are not followed, since they could lead anywhere.',
    remedy: 'Configure the address that it leads to.',
  },
  upstream_encoding: {
    meaning: 'An endpoint encoded its answer although it was asked not to.',
    cause: 'A proxy in between compresses whatever passes. A small answer could so become a huge one.',
    remedy: 'Configure an endpoint without such a proxy.',
  },
  upstream_malformed: {
    meaning: 'An endpoint answered with something that makes no sense.',
    cause: 'It sent no JSON, left out what was asked for, or told figures that cannot be. Nothing of the answer was used.',
    remedy: 'If it lasts, use another endpoint for this chain.',
  },
  upstream_rate_limited: {
    meaning: 'An endpoint allows no more requests for now.',
    cause: 'Its own limit is reached, or the budget that was set for it.',
    remedy: 'It is asked again when it allows. For more, configure further endpoints or a paid one.',
  },
  upstream_unauthorized: {
    meaning: 'An endpoint did not take our key.',
    cause: 'The key is missing, wrong, expired, or not meant for this.',
    remedy: 'Check the key of the endpoint in the configuration.',
  },
  upstream_status: {
    meaning: 'An endpoint answered with an HTTP status that tells of an error.',
    cause: 'It has trouble of its own, or does not serve at this address.',
    remedy: 'If it lasts, check the address in the configuration.',
  },
  upstream_unsupported: {
    meaning: 'No endpoint offers what was needed.',
    cause: 'Some methods, such as searching accounts or tracing, are not offered by every endpoint.',
    remedy: 'Configure one that does. `GET /api/v1/providers` tells what each can do.',
  },
  upstream_out_of_gas: {
    meaning: 'An endpoint gave our call less gas than it takes.',
    cause: 'It limits calls more than others do.',
    remedy: 'Use another endpoint for this chain.',
  },
  upstream_wrong_chain: {
    meaning: 'An endpoint serves another chain than the one it was configured for.',
    cause: 'Two addresses were mixed up, or the name leads elsewhere now. Nothing was read from it.',
    remedy: 'Correct the address in the configuration.',
  },
  upstream_block_unavailable: {
    meaning: 'An endpoint does not have the block that was asked for.',
    cause: 'It is behind the others, or the chain has dropped the block.',
    remedy: 'It is read again by itself, at a newer block.',
  },
  upstream_no_history: {
    meaning: 'No endpoint keeps the past of the chain that far back.',
    cause: 'Most endpoints keep the state of recent blocks only.',
    remedy: 'Configure an archive endpoint.',
  },
  upstream_rpc_error: {
    meaning: 'An endpoint answered with an error of its own.',
    cause: 'It did not take a call that others take.',
    remedy: 'If it lasts, use another endpoint for this chain.',
  },
  upstream_reverted: {
    meaning: 'The contract on the chain refused the call.',
    cause: 'The token is broken, paused, or no token at all.',
    remedy: 'Look at the token in an explorer. It can be hidden as spam.',
  },
  upstream_no_endpoint: {
    meaning: 'There is no endpoint of the chain that can be used now.',
    cause: 'All of them failed lately and are left alone for some seconds, or none is configured.',
    remedy: '`GET /api/v1/providers` tells how each is. Add endpoints in the configuration.',
  },
  upstream_aborted: {
    meaning: 'A call was given up before it was answered.',
    cause: 'Whoever asked has gone, or the time of the whole request was over.',
    remedy: 'Try again.',
  },
} as const satisfies Record<UpstreamErrorCode, ErrorText>;
