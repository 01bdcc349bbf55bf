import { type ClientRequest, type IncomingHttpHeaders, request } from 'node:http';
import type { Body } from './test-stack.ts';

export type HeardEvent = { readonly id: string | null; readonly type: string; readonly data: Body };

/** A reader of server-sent events over a connection of its own. */
export type EventClient = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** All that was heard so far, in order. */
  readonly events: readonly HeardEvent[];
  /** What a browser would send as `Last-Event-ID`. */
  readonly lastId: string | null;
  /** The last `retry` that was told. */
  readonly retryMs: number | null;
  /** Comments, which keep the connection alive. */
  readonly comments: number;
  /** Everything as it came, for an answer that is no stream. */
  readonly text: string;
  /** Resolves with the first event, heard or to come, that matches; rejects when the stream ends without one. */
  until(matches: (event: HeardEvent) => boolean): Promise<HeardEvent>;
  /** Resolves when the stream has ended, however it did. */
  readonly ended: Promise<void>;
  close(): void;
};

type Options = { readonly lastEventId?: string | null; readonly headers?: Readonly<Record<string, string>> };

/** Opens a stream; resolves with its head. */
export function openEvents(url: string, { lastEventId = null, headers = {} }: Options = {}): Promise<EventClient> {
  return new Promise((resolve, reject) => {
    const sent: ClientRequest = request(url, {
      agent: false,
      headers: { ...headers, ...(lastEventId === null ? {} : { 'Last-Event-ID': lastEventId }) },
    });
    sent.on('error', reject);
    sent.on('response', (response) => {
      sent.off('error', reject).on('error', () => undefined);
      const events: HeardEvent[] = [];
      const waiting = new Set<(event: HeardEvent) => void>();
      const state = { text: '', rest: '', lastId: null as string | null, retryMs: null as number | null, comments: 0 };
      const ended = Promise.withResolvers<void>();
      const hear = (block: string): void => {
        const fields = block.split('\n').map((line) => /^([a-z]*):? ?(.*)$/s.exec(line)?.slice(1) ?? []);
        const field = (name: string): string | undefined => fields.find(([key]) => key === name)?.[1];
        state.lastId = field('id') ?? state.lastId;
        if (field('retry') !== undefined) state.retryMs = Number(field('retry'));
        if (field('') !== undefined) state.comments += 1;
        const data = field('data');
        if (data === undefined) return;
        const event = { id: field('id') ?? null, type: field('event') ?? 'message', data: JSON.parse(data) };
        events.push(event);
        for (const look of waiting) look(event);
      };
      response.setEncoding('utf8').on('data', (part: string) => {
        state.text += part;
        const blocks = (state.rest + part).split('\n\n');
        state.rest = blocks.pop() ?? '';
        for (const block of blocks) hear(block);
      });
      response.on('error', () => undefined);
      response.on('close', () => ended.resolve());
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        events,
        get lastId() {
          return state.lastId;
        },
        get retryMs() {
          return state.retryMs;
        },
        get comments() {
          return state.comments;
        },
        get text() {
          return state.text;
        },
        until: (matches) =>
          new Promise((found, fail) => {
            const past = events.find(matches);
            if (past !== undefined) return found(past);
            const look = (event: HeardEvent): void => {
              if (!matches(event)) return;
              waiting.delete(look);
              found(event);
            };
            waiting.add(look);
            void ended.promise.then(() => fail(new Error(`the stream ended after ${events.map(({ type }) => type).join()}`)));
          }),
        ended: ended.promise,
        close: () => void sent.destroy(),
      });
    });
    sent.end();
  });
}
