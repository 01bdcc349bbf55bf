import { writeFileSync } from 'node:fs';
import { request } from 'node:http';

/** Head lines that Node writes of its own accord. */
const OWN = new Set(['date', 'connection', 'keep-alive']);

/** Asks once and writes the answer, head and body, where the servers that only repeat it find it. Answers with the size of the body. */
export async function saveAnswer(url: string, file: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  request(url, async (response) => {
    const body = Buffer.concat(await response.toArray());
    const headers: string[] = [];
    for (let at = 0; at < response.rawHeaders.length; at += 2) {
      const [name = '', value = ''] = response.rawHeaders.slice(at, at + 2);
      if (!OWN.has(name.toLowerCase())) headers.push(name, value);
    }
    if (response.statusCode !== 200) return reject(new Error(`${url} answered ${response.statusCode}: ${body}`));
    writeFileSync(file, JSON.stringify({ headers, body: body.toString() }));
    resolve(body.length);
  })
    .on('error', reject)
    .end();
  return promise;
}
