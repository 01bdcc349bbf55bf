import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Route } from '../../src/api/route.ts';
import { createRoutes } from '../../src/api/server.ts';
import { buildServerDeps } from '../support/stub-services.ts';

type Node = Readonly<Record<string, unknown>>;

const BRANCHES = ['anyOf', 'oneOf', 'allOf', 'prefixItems'] as const;
/** From end to end, without a part that may come again and again. */
const BOUNDED_PATTERN = /^\^(?:[^*+]|\\[*+])*\$$/;
const FORMATS_OF_ONE_LENGTH = new Set(['uuid', 'date', 'date-time']);

/** Every place in what a route takes where a client could send more than is meant. */
function findGaps(schema: z.ZodType): readonly string[] {
  const root: Node = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' });
  return walk(root, '', toNode(root.$defs));
}

function walk(node: Node, place: string, definitions: Node): string[] {
  if (typeof node.$ref === 'string') return walk(toNode(definitions[node.$ref.split('/').at(-1) ?? '']), place, definitions);
  const gaps = tell(node).map((gap) => `${place || '/'}: ${gap}`);
  for (const [name, property] of Object.entries(toNode(node.properties)))
    gaps.push(...walk(toNode(property), `${place}/${name}`, definitions));
  if (node.items !== undefined) gaps.push(...walk(toNode(node.items), `${place}/*`, definitions));
  for (const branch of BRANCHES) {
    for (const [index, inner] of (Array.isArray(node[branch]) ? node[branch] : []).entries()) {
      gaps.push(...walk(toNode(inner), `${place}(${index})`, definitions));
    }
  }
  return gaps;
}

function tell(node: Node): string[] {
  if (node.enum !== undefined || node.const !== undefined) return [];
  switch (node.type) {
    case 'object':
      return node.additionalProperties === false ? [] : ['takes fields that it does not know'];
    case 'array':
      return typeof node.maxItems === 'number' ? [] : ['takes any number of items'];
    case 'string': {
      const isBounded = typeof node.maxLength === 'number' || FORMATS_OF_ONE_LENGTH.has(String(node.format));
      const pattern = String(node.pattern ?? '');
      if (BOUNDED_PATTERN.test(pattern) && !/\{\d+,\}/.test(pattern)) return [];
      return isBounded ? [] : ['takes a text of any length'];
    }
    case 'number':
    case 'integer':
      return typeof node.maximum === 'number' && typeof node.minimum === 'number' ? [] : ['takes any number'];
    case undefined:
      return BRANCHES.some((branch) => node[branch] !== undefined) || node.not !== undefined ? [] : ['takes anything'];
    default:
      return [];
  }
}

function toNode(value: unknown): Node {
  return typeof value === 'object' && value !== null ? (value as Node) : {};
}

const routes = createRoutes(buildServerDeps());
const named = (part: (route: Route) => z.ZodType) => routes.map((route) => [route.operationId, part(route)] as const);

describe('no client can send more than is meant', () => {
  it.each(named(({ params }) => params))('in the path of %s', (_name, schema) => {
    expect(findGaps(schema)).toEqual([]);
  });

  it.each(named(({ query }) => query))('in the query of %s', (_name, schema) => {
    expect(findGaps(schema)).toEqual([]);
  });

  it.each(
    routes
      .filter(({ body }) => body.presence !== 'none' && body.mediaType === undefined)
      .map(({ operationId, body }) => [operationId, body.schema] as const),
  )('in the body of %s', (_name, schema) => {
    expect(findGaps(schema)).toEqual([]);
  });
});

it('a gap would be found', () => {
  const open = z.object({
    a: z.string(),
    b: z.array(z.int().min(0).max(9)),
    c: z.union([z.number(), z.strictObject({ d: z.any() }).meta({ id: 'Inner' })]),
  });
  expect(findGaps(open).length).toBe(5);
});
