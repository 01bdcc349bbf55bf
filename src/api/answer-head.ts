import { type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Response } from 'express';

const KEY = 'head';
const writeHead = ServerResponse.prototype.writeHead;

/**
 * Begins the head of an answer with fields (name, value, name, value ...) that go out with it whoever sends it. They are kept aside until then: handed to Node
 * one by one they cost more than all that Express does.
 */
export function beginHead(response: Response, fields: readonly string[]): void {
  response.locals[KEY] = [...fields];
  Object.assign(response, { writeHead: writeWholeHead });
}

/** Sets a field of a head that was begun. One that is set on the response itself wins over it. */
export function setInHead(response: Response, name: string, value: string): void {
  const head = headOf(response);
  const place = head.indexOf(name);
  if (place === -1) head.push(name, value);
  else head[place + 1] = value;
}

/** The value of a field of a head that was begun. */
export function findInHead(response: Response, name: string): string | undefined {
  const head = headOf(response);
  const place = head.indexOf(name);
  return place === -1 ? undefined : head[place + 1];
}

function headOf(response: Response): string[] {
  const head: unknown = response.locals[KEY];
  return Array.isArray(head) ? head : [];
}

/** In place of Node's own, which comes here also when nobody writes a head before the body. */
function writeWholeHead(this: Response, status: number, fields: OutgoingHttpHeaders | OutgoingHttpHeader[] = []): ServerResponse {
  const head = headOf(this);
  if (Array.isArray(fields) && this.getHeaderNames().length === 0) return writeHead.call(this, status, [...head, ...fields]);
  for (let at = 0; at < head.length; at += 2) {
    const [name = '', value = ''] = [head[at], head[at + 1]];
    if (!this.hasHeader(name)) this.setHeader(name, value);
  }
  return writeHead.call(this, status, fields);
}
