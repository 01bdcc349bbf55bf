import { z } from 'zod';
import { compileStrictly, type JsonSchema, jsonSchema } from './json-schema.ts';

type Check = (body: unknown) => readonly string[];

export type Parameter = { readonly name: string; readonly in: string; readonly required: boolean; readonly schema: JsonSchema };

export type Operation = {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body: { readonly mediaType: string; readonly schema: JsonSchema; readonly example?: unknown } | null;
  /** Status to media type to what a body of it has to be like: null for one that is no JSON. */
  readonly answers: ReadonlyMap<number, ReadonlyMap<string, Check | null>>;
};

export type ApiDocument = {
  readonly operations: readonly Operation[];
  readonly checkProblem: Check;
  readonly schemas: Readonly<Record<string, JsonSchema>>;
};

const content = z.record(z.string(), z.object({ schema: z.unknown().optional(), example: z.unknown().optional() }));
const response = z.object({ content: content.default({}) });
const referable = z.union([z.object({ $ref: z.string() }), response]);
const documentSchema = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        parameters: z
          .array(z.object({ name: z.string(), in: z.string(), required: z.boolean().default(false), schema: jsonSchema }))
          .default([]),
        requestBody: z.object({ content }).optional(),
        responses: z.record(z.string(), referable),
      }),
    ),
  ),
  components: z.object({ schemas: z.record(z.string(), z.unknown()), responses: z.record(z.string(), response) }),
});

/** The served document, read for what can be asked and what may be answered. */
export function readApiDocument(document: unknown): ApiDocument {
  const { paths, components } = documentSchema.parse(document);
  const compiled = new Map<string, Check>();
  const compile = (schema: unknown): Check => {
    const key = JSON.stringify(schema);
    // When it is first asked: who asks a few things need not wait for all of them.
    return (value) => {
      const check = compiled.get(key) ?? compileStrictly(schema, components.schemas);
      compiled.set(key, check);
      return check(value);
    };
  };
  const toAnswer = (found: z.output<typeof referable>): ReadonlyMap<string, Check | null> => {
    const own = '$ref' in found ? components.responses[found.$ref.replace('#/components/responses/', '')] : found;
    return new Map(
      Object.entries(own?.content ?? {}).map(([type, { schema }]) => [plainType(type), isJson(type) ? compile(schema) : null]),
    );
  };
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { parameters, requestBody, responses }]): Operation => {
      const [sent] = Object.entries(requestBody?.content ?? {});
      return {
        method: method.toUpperCase(),
        path,
        parameters,
        body: sent === undefined ? null : { mediaType: sent[0], ...sent[1], schema: jsonSchema.parse(sent[1].schema) },
        answers: new Map(Object.entries(responses).map(([status, found]) => [Number(status), toAnswer(found)])),
      };
    }),
  );
  const schemas = z.record(z.string(), jsonSchema).parse(components.schemas);
  return { operations, checkProblem: compile({ $ref: '#/components/schemas/Problem' }), schemas };
}

/** A media type without its parameters. */
export function plainType(type: string): string {
  return (type.split(';')[0] ?? '').trim().toLowerCase();
}

function isJson(type: string): boolean {
  return /[/+]json$/.test(plainType(type));
}
