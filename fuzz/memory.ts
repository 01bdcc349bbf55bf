import type { FuzzRequest } from './request-arbitrary.ts';

/** What answers held, for later requests to ask about. */
export type Memory = {
  /** Keeps what an answer to a path tells: the ids of things by their kind, and of each path the last tag and cursor. */
  note(path: string, body: unknown, etag: string | undefined): void;
  /** A request with its marks filled in. */
  fill(request: FuzzRequest): FuzzRequest;
};

/** `{{wallet:7}}` stands for the id of some wallet, `{{etag:7}}` for the tag of what the path leads to. */
const MARK = /\{\{([\w-]+):(\d+)\}\}/g;
const NOBODY = '00000000-0000-4000-8000-000000000000';
/** Of each kind; the newest take the place of the oldest, which may be gone. */
const MAX_KEPT = 12;
const MAX_ITEMS = 20;

/** The kind of thing that a name is about: `wallets`, `wallet_id` and `wallet` are one. */
export function kindOf(name: string): string {
  const plain = name.replace(/_(id|uuid)$/, '');
  return plain
    .replace(/ies$/, 'y')
    .replace(/(sh|ch)es$/, '$1')
    .replace(/([^s])s$/, '$1');
}

type MemoryOptions = {
  /** What is known from the beginning, by kind. */
  readonly known: Readonly<Record<string, readonly string[]>>;
  /** Ids that are never asked about. */
  readonly spared: readonly string[];
};

export function createMemory({ known: given, spared }: MemoryOptions): Memory {
  const ids = new Map(Object.entries(given).map(([kind, values]) => [kind, [...values]]));
  const byPath = new Map<string, string>();
  const keep = (kind: string, id: string): void => {
    const known = ids.get(kind) ?? [];
    ids.set(kind, known);
    if (known.includes(id) || spared.includes(id)) return;
    known.push(id);
    if (known.length > MAX_KEPT) known.shift();
  };
  const visit = (kind: string, value: unknown): void => {
    if (Array.isArray(value)) for (const item of value.slice(0, MAX_ITEMS)) visit(kind, item);
    else if (typeof value === 'object' && value !== null) {
      for (const [name, inner] of Object.entries(value)) {
        if (typeof inner !== 'string') visit(kindOf(name), inner);
        else if (name === 'id') keep(kind, inner);
        else if (/_(id|uuid)$/.test(name)) keep(kindOf(name), inner);
      }
    }
  };
  const fillText = (text: string, path: string, write = (value: string): string => value): string =>
    text.replaceAll(MARK, (_, kind: string, position: string) => {
      if (kind === 'etag' || kind === 'cursor') return write(byPath.get(`${kind} ${path}`) ?? '"none"');
      const known = ids.get(kind) ?? [];
      return write(known[Number(position) % known.length] ?? NOBODY);
    });
  return {
    note(path, body, etag) {
      visit(kindOfPath(path), body);
      if (etag !== undefined) byPath.set(`etag ${path}`, etag);
      if (typeof body !== 'object' || body === null || !('next_cursor' in body)) return;
      if (typeof body.next_cursor === 'string') byPath.set(`cursor ${path}`, body.next_cursor);
    },
    fill(request) {
      const [plan = ''] = request.target.split('?');
      const path = fillText(plan, '', encodeURIComponent);
      const headers = Object.entries(request.headers).map(([name, value]) => [name, fillText(value, path)]);
      return {
        ...request,
        target: path + fillText(request.target.slice(plan.length), path, encodeURIComponent),
        headers: Object.fromEntries(headers),
        body: request.body === null ? null : fillText(request.body, path),
      };
    },
  };
}

/** What a path is about when its answer does not say. */
function kindOfPath(path: string): string {
  if (/(refresh|fetch)$/.test(path)) return 'refresh';
  return kindOf(path.split('/')[3] ?? '');
}
