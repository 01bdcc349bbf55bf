import pg from 'pg';

/** Sends rows by COPY, the fastest way into a table there is, over a connection of its own; answers with how long it took. */
export async function copyIn(url: string, statement: string, data: Buffer): Promise<number> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const startedAt = performance.now();
    await new Promise<void>((resolve, reject) => {
      client.query(copyQuery(statement, data, (error) => (error === undefined ? resolve() : reject(error))));
    });
    return performance.now() - startedAt;
  } finally {
    await client.end();
  }
}

/** What its types leave out of a connection. */
type CopyConnection = { sendCopyFromChunk(chunk: Buffer): void; endCopyFrom(): void };

/** What pg calls as the server answers; streams are left to packages of others. */
type CopyQuery = pg.Submittable & {
  handleCopyInResponse(connection: CopyConnection): void;
  handleCommandComplete(): void;
  handleError(error: Error): void;
  handleReadyForQuery(): void;
};

function copyQuery(statement: string, data: Buffer, done: (error?: Error) => void): CopyQuery {
  let failure: Error | undefined;
  return {
    submit: (connection: pg.Connection): void => connection.query(statement),
    handleCopyInResponse(connection: CopyConnection): void {
      connection.sendCopyFromChunk(data);
      connection.endCopyFrom();
    },
    handleCommandComplete: (): void => undefined,
    handleError(error: Error): void {
      failure = error;
      done(error);
    },
    handleReadyForQuery(): void {
      if (failure === undefined) done();
    },
  };
}
