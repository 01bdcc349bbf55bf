import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { z } from 'zod';

/**
 * Compiles the project's Solidity sources with solc from npm and writes the bytecode that is committed. Run it after a change to a source:
 * `npm run compile`. The compiler's version is pinned, so the output is the same everywhere.
 */
const solc: { compile(input: string): string } = createRequire(import.meta.url)('solc');

const outputSchema = z.object({
  errors: z.array(z.object({ severity: z.string(), formattedMessage: z.string() })).default([]),
  contracts: z
    .record(
      z.string(),
      z.record(
        z.string(),
        z.object({
          evm: z.object({ bytecode: z.object({ object: z.string() }), deployedBytecode: z.object({ object: z.string() }) }),
        }),
      ),
    )
    .default({}),
});

type Compiled = { readonly creation: string; readonly runtime: string };

/** All contracts of one source file, by name. Throws with the compiler's own words when it does not compile. */
function compile(path: string): Map<string, Compiled> {
  const input = {
    language: 'Solidity',
    sources: { [path]: { content: readFileSync(path, 'utf8') } },
    settings: {
      optimizer: { enabled: true, runs: 1_000_000 },
      evmVersion: 'paris',
      metadata: { appendCBOR: false, bytecodeHash: 'none' },
      outputSelection: { '*': { '*': ['evm.bytecode.object', 'evm.deployedBytecode.object'] } },
    },
  };
  const { errors, contracts } = outputSchema.parse(JSON.parse(solc.compile(JSON.stringify(input))));
  const fatal = errors.filter((error) => error.severity === 'error');
  if (fatal.length > 0) throw new Error(fatal.map((error) => error.formattedMessage).join('\n'));
  return new Map(
    Object.entries(contracts[path] ?? {}).map(([name, { evm }]) => [
      name,
      { creation: `0x${evm.bytecode.object}`, runtime: `0x${evm.deployedBytecode.object}` },
    ]),
  );
}

function required(contracts: ReadonlyMap<string, Compiled>, name: string): Compiled {
  const contract = contracts.get(name);
  if (contract === undefined) throw new Error(`there is no contract ${name}`);
  return contract;
}

const scanner = compile('src/adapters/evm/contracts/scanner.sol');
writeFileSync(
  'src/adapters/evm/contracts/scanner.json',
  `${JSON.stringify({ runtime: required(scanner, 'Scanner').runtime, creation: required(scanner, 'ScannerOnce').creation }, null, 2)}\n`,
);

const local = compile('localnet/evm/contracts/tokens.sol');
writeFileSync('localnet/evm/contracts/tokens.json', `${JSON.stringify(Object.fromEntries([...local].sort()), null, 2)}\n`);
