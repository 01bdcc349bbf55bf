import fc from 'fast-check';
import type { JsonSchema } from './json-schema.ts';
import { kindOf } from './memory.ts';

type Schemas = Readonly<Record<string, JsonSchema>>;

const MAX_ITEMS = 4;
const MAX_TEXT = 40;
const MAX_DEPTH = 6;

/** Where a schema stands: what there is besides, what the value is about, and how deep it lies. */
export type SchemaPlace = { readonly schemas: Schemas; readonly kind: string; readonly depth?: number };

/** Values that fit a schema; examples, and marks for ids of what there is, are among them. */
export function toArbitrary(schema: JsonSchema, place: SchemaPlace): fc.Arbitrary<unknown> {
  const made = toPlain(schema, { ...place, depth: (place.depth ?? 0) + 1 });
  return schema.example === undefined ? made : fc.oneof({ weight: 2, arbitrary: fc.constant(schema.example) }, made);
}

function toPlain(schema: JsonSchema, place: Required<SchemaPlace>): fc.Arbitrary<unknown> {
  if (place.depth > MAX_DEPTH) return fc.constant(null);
  if (schema.$ref !== undefined) return toArbitrary(place.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}, place);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return fc.oneof(...choices.map((choice) => toArbitrary(choice, place)));
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  if (types.length === 0) return fc.jsonValue({ maxDepth: 2 });
  return fc.oneof(...types.map((type) => toTyped(type, schema, place)));
}

function toTyped(type: string, schema: JsonSchema, place: Required<SchemaPlace>): fc.Arbitrary<unknown> {
  const { minimum: min = -1_000_000, maximum: max = 1_000_000 } = schema;
  switch (type) {
    case 'string':
      return toText(schema, place.kind);
    case 'integer':
      return fc.integer({ min: Math.max(min, -(2 ** 31)), max: Math.min(max, 2 ** 31 - 1) });
    case 'number':
      return fc.double({ min, max, noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'array': {
      const minLength = schema.minItems ?? 0;
      const maxLength = Math.max(minLength, Math.min(schema.maxItems ?? MAX_ITEMS, MAX_ITEMS));
      return fc.array(toArbitrary(schema.items ?? {}, place), { minLength, maxLength });
    }
    case 'object': {
      const fields = Object.entries(schema.properties ?? {});
      const model: Record<string, fc.Arbitrary<unknown>> = {};
      for (const [name, field] of fields) model[name] = toArbitrary(field, { ...place, kind: kindOf(name) });
      return fc.record(model, { requiredKeys: [...(schema.required ?? [])] });
    }
    default:
      return fc.constant(null);
  }
}

const moments = fc.oneof(
  fc.date({ min: new Date('2026-01-01'), max: new Date('2026-12-31'), noInvalidDate: true }),
  fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31'), noInvalidDate: true }),
);

function toText({ format, pattern, minLength = 0, maxLength = MAX_TEXT }: JsonSchema, kind: string): fc.Arbitrary<string> {
  const known = fc.nat({ max: 999 }).map((position) => `{{${kind}:${position}}}`);
  if (format === 'uuid') return fc.oneof({ weight: 6, arbitrary: known }, fc.uuid());
  if (format === 'date-time') return moments.map((moment) => moment.toISOString());
  if (format === 'date') return moments.map((moment) => moment.toISOString().slice(0, 10));
  if (format === 'uri') return fc.webUrl();
  const size = { minLength, maxLength: Math.max(minLength, Math.min(maxLength, MAX_TEXT)) };
  if (kind === 'url') return fc.oneof(known, fc.webUrl());
  if (kind === 'address') return fc.oneof(known, addresses);
  if (pattern !== undefined) return kind === 'key' || kind === 'asset' ? fc.oneof(known, matching(pattern)) : matching(pattern);
  return fc.oneof(fc.string({ ...size, unit: 'grapheme' }), known, addresses, addresses);
}

const hex = fc.stringMatching(/^[0-9a-f]{40}$/);

/** Texts that mean something to the service whatever a schema says of them. */
const addresses = fc.oneof(
  hex.map((digits) => `0x${digits}`),
  fc.constantFrom('vitalik.eth', 'bonfida.sol', 'eip155:1/slip44:60', '11111111111111111111111111111111'),
  hex.map((digits) => `eip155:1/erc20:0x${digits}`),
);

/** What cannot be made from a pattern is made without one. */
function matching(pattern: string): fc.Arbitrary<string> {
  try {
    return fc.stringMatching(new RegExp(pattern, 'u'), { size: '-1' });
  } catch {
    return fc.string();
  }
}
