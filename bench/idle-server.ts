import { createServer } from 'node:http';

/** The least that a Node process which serves HTTP can cost. */
createServer((_request, response) => response.end()).listen(Number(process.env.PORT), '127.0.0.1');
