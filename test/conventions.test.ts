import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const MAX_LINES = 300;
const PRODUCT = sources('src', 'migrations');

test('no file is longer than 300 lines', () => {
  const files = sources('src', 'test', 'localnet', 'demo', 'bench', 'scripts', 'migrations');
  const long = files.filter((file) => read(file).trimEnd().split('\n').length > MAX_LINES);
  expect(long).toEqual([]);
});

test('the lock names the optional packages of every platform, without which npm ci refuses it', () => {
  const { packages }: { packages: Record<string, { optionalDependencies?: Record<string, string> }> } = JSON.parse(
    read('package-lock.json'),
  );
  const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies));
  const missing = wanted.filter((name) => !Object.keys(packages).some((place) => place.endsWith(`node_modules/${name}`)));
  expect(missing, 'run npm run lock').toEqual([]);
});

describe('the product', () => {
  test('asserts no type but `as const`', () => {
    expect(findIn(PRODUCT, isTypeAssertion)).toEqual([]);
  });

  test('reads the environment in src/config.ts only', () => {
    const others = PRODUCT.filter((file) => file !== 'src/config.ts');
    expect(findIn(others, readsEnvironment)).toEqual([]);
    expect(findIn(['src/config.ts'], readsEnvironment)).not.toEqual([]);
  });

  // What ethers and Kit could sign with, the import gate refuses.
  test('takes nothing from node:crypto that makes a key pair or signs', () => {
    expect(findIn(PRODUCT, takesSigning)).toEqual([]);
  });

  test('runs every query that it builds', () => {
    expect(findIn([...PRODUCT, ...sources('test')], isQueryThatNeverRuns)).toEqual([]);
  });
});

describe('these checks find', () => {
  test.each([
    ['a type assertion', isTypeAssertion, 'const a = b as string;', 'const a = [1] as const;'],
    ['an angle-bracket assertion', isTypeAssertion, 'const a = <string>b;', 'const a = f<string>(b);'],
    ['process.env', readsEnvironment, 'const a = process.env.HOME;', 'const a = environment.HOME;'],
    ["process['env']", readsEnvironment, "const a = process['env'];", "const a = process['pid'];"],
    ['an imported env', readsEnvironment, "import { env } from 'node:process';", "import { pid } from 'node:process';"],
    [
      'a signing import',
      takesSigning,
      "import { createPrivateKey } from 'node:crypto';",
      "import { createHmac } from 'node:crypto';",
    ],
    ['all of a signing module', takesSigning, "import * as crypto from 'crypto';", "import * as zlib from 'node:zlib';"],
    [
      'an awaited builder',
      isQueryThatNeverRuns,
      "await db.deleteFrom('a').where('b', '=', 1);",
      "await db.deleteFrom('a').execute();",
    ],
    ['a forgotten builder', isQueryThatNeverRuns, "trx.insertInto('a').values({});", "const query = trx.insertInto('a');"],
    [
      'an awaited schema change',
      isQueryThatNeverRuns,
      "await db.schema.createTable('a');",
      "await db.schema.createTable('a').execute();",
    ],
    ['an awaited sql text', isQueryThatNeverRuns, 'await sql`select 1`;', 'await sql`select 1`.execute(db);'],
  ])('%s', (_, check, bad, good) => {
    expect(findInText('bad.ts', bad, check)).toHaveLength(1);
    expect(findInText('good.ts', good, check)).toEqual([]);
  });
});

type Check = (node: ts.Node) => boolean;

function isTypeAssertion(node: ts.Node): boolean {
  return ts.isTypeAssertionExpression(node) || (ts.isAsExpression(node) && !ts.isConstTypeReference(node.type));
}

function readsEnvironment(node: ts.Node): boolean {
  if (ts.isImportDeclaration(node) && /^'(node:)?process'$/.test(node.moduleSpecifier.getText()))
    return /\benv\b/.test(node.getText());
  if (ts.isPropertyAccessExpression(node)) return node.expression.getText() === 'process' && node.name.text === 'env';
  return ts.isElementAccessExpression(node) && /^process\[.env.\]$/.test(node.getText());
}

const SHARED_SECRETS = new Set([
  ...['createHash', 'createHmac', 'hash', 'timingSafeEqual'],
  ...['randomBytes', 'randomFillSync', 'randomInt', 'randomUUID'],
]);

/** Hashes and secrets that both sides know are all that is taken by name, and the module is never taken whole. */
function takesSigning(node: ts.Node): boolean {
  if (!ts.isImportDeclaration(node) || !/^'(node:)?crypto'$/.test(node.moduleSpecifier.getText())) return false;
  const names = node.importClause?.namedBindings;
  if (names === undefined || !ts.isNamedImports(names)) return true;
  return names.elements.some(({ name, propertyName }) => !SHARED_SECRETS.has((propertyName ?? name).text));
}

const BUILDERS = /^(selectFrom|insertInto|updateTable|deleteFrom|mergeInto|(create|alter|drop)(Table|Index|Type|View|Schema))$/;
const RUNNERS = /^(execute|executeTakeFirst|executeTakeFirstOrThrow|executeQuery|stream|explain)$/;

/** kysely's builders are no promises: awaiting one without `execute()` does nothing, without an error. */
function isQueryThatNeverRuns(node: ts.Node): boolean {
  if (!ts.isAwaitExpression(node) && !ts.isExpressionStatement(node)) return false;
  const { expression } = node;
  if (ts.isTaggedTemplateExpression(expression)) return expression.tag.getText() === 'sql';
  const methods = calledMethods(expression);
  return methods.some((name) => BUILDERS.test(name)) && !methods.some((name) => RUNNERS.test(name));
}

/** The names of the methods called in a chain, the last one first. */
function calledMethods(expression: ts.Expression): string[] {
  const names: string[] = [];
  let current = expression;
  while (ts.isCallExpression(current) || ts.isPropertyAccessExpression(current)) {
    if (ts.isCallExpression(current) && ts.isPropertyAccessExpression(current.expression))
      names.push(current.expression.name.text);
    current = current.expression;
  }
  return names;
}

function findIn(files: readonly string[], check: Check): string[] {
  return files.flatMap((file) => findInText(file, read(file), check));
}

/** Where in a source the check holds, as `file:line: text`. */
function findInText(file: string, text: string, check: Check): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (check(node)) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      found.push(`${file}:${line + 1}: ${node.getText().slice(0, 80)}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function sources(...folders: readonly string[]): string[] {
  return globSync(
    folders.map((folder) => `${folder}/**/*.ts`),
    { cwd: ROOT },
  ).toSorted();
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}
