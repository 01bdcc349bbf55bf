import { z } from 'zod';

/** The part of JSON Schema that the document of the API is written in. */
export type JsonSchema = {
  readonly $ref?: string | undefined;
  readonly const?: unknown;
  readonly enum?: readonly unknown[] | undefined;
  readonly anyOf?: readonly JsonSchema[] | undefined;
  readonly oneOf?: readonly JsonSchema[] | undefined;
  readonly type?: string | readonly string[] | undefined;
  readonly format?: string | undefined;
  readonly pattern?: string | undefined;
  readonly minLength?: number | undefined;
  readonly maxLength?: number | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly items?: JsonSchema | undefined;
  readonly minItems?: number | undefined;
  readonly maxItems?: number | undefined;
  readonly properties?: Readonly<Record<string, JsonSchema>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly example?: unknown;
};

export const jsonSchema: z.ZodType<JsonSchema> = z.lazy(() =>
  z.object({
    $ref: z.string().optional(),
    const: z.unknown().optional(),
    enum: z.array(z.unknown()).optional(),
    anyOf: z.array(jsonSchema).optional(),
    oneOf: z.array(jsonSchema).optional(),
    type: z.union([z.string(), z.array(z.string())]).optional(),
    format: z.string().optional(),
    pattern: z.string().optional(),
    minLength: z.number().optional(),
    maxLength: z.number().optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    items: jsonSchema.optional(),
    minItems: z.number().optional(),
    maxItems: z.number().optional(),
    properties: z.record(z.string(), jsonSchema).optional(),
    required: z.array(z.string()).optional(),
    example: z.unknown().optional(),
  }),
);

const convertible = z.custom<Parameters<typeof z.fromJSONSchema>[0]>((value) => typeof value === 'object' && value !== null);

/** A check of a value against a schema as it stands in the document, by which no object has a field that the schema does not name. The faults; none when it fits. */
export function compileStrictly(schema: unknown, definitions: unknown): (value: unknown) => readonly string[] {
  const whole = { ...z.looseObject({}).parse(closeObjects(schema)), $defs: closeObjects(definitions) };
  const text = JSON.stringify(whole).replaceAll('#/components/schemas/', '#/$defs/');
  const parser = z.fromJSONSchema(convertible.parse(JSON.parse(text)));
  return (value) => {
    const parsed = parser.safeParse(value);
    return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  };
}

/** Documents let answers gain fields; here there is to be none that is not told of. */
function closeObjects(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closeObjects);
  if (typeof node !== 'object' || node === null) return node;
  const closed = Object.fromEntries(Object.entries(node).map(([name, value]) => [name, closeObjects(value)]));
  return 'properties' in node && !('additionalProperties' in node) ? { ...closed, additionalProperties: false } : closed;
}
