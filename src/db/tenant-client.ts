/** As much of a connection as is needed here. What is sent before the answers to earlier statements are there is answered in order. */
export type Sender = { query(text: string, parameters: unknown[]): Promise<unknown> };

const BEGIN = /^(begin|start transaction)\b/;
const END = /^(commit|rollback)$/;

/**
 * A connection on which each transaction says first whose rows it is about, and each statement outside of one has a transaction of its own. What was said ends
 * with the transaction, so that whoever gets the connection next sees nobody's rows.
 */
export function forTenant(client: Sender, tenantId: string): Sender {
  const begin = (how: string): string => `${how}; select set_config('app.tenant', '${tenantId}', true)`;
  let isOpen = false;
  return {
    async query(text, parameters) {
      if (isOpen) {
        if (END.test(text)) isOpen = false;
        return client.query(text, parameters);
      }
      if (BEGIN.test(text)) {
        isOpen = true;
        return client.query(begin(text), parameters);
      }
      return sendTogether(client, [
        [begin('begin'), []],
        [text, parameters],
        ['commit', []],
      ]);
    },
  };
}

type Statement = readonly [text: string, parameters: unknown[]];

/** In one go, so that it takes little longer than the statement alone. Where one fails, those behind it do too, and the commit rolls back. */
async function sendTogether(client: Sender, statements: readonly Statement[]): Promise<unknown> {
  const outcomes = await Promise.allSettled(statements.map(([text, parameters]) => client.query(text, parameters)));
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  const [, wanted] = outcomes;
  return wanted?.status === 'fulfilled' ? wanted.value : undefined;
}
