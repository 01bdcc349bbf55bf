import { createServer } from 'node:http';

/**
 * What stands behind nginx in its test, as a process in a container: tells what arrived, and on demand breaks off, or sends a stream whose end
 * only comes with the next request.
 */
let broken = 0;
let endStream = (): void => undefined;

createServer((request, response) => {
  const { method, url = '/', headers, socket } = request;
  if (url.startsWith('/api/v1/break')) {
    broken += 1;
    socket.destroy();
  } else if (url.startsWith('/api/v1/events')) {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n');
    endStream = () => response.end('data: last\n\n');
  } else {
    endStream();
    const body = JSON.stringify({ method, url, headers, port: socket.remotePort, broken, padding: 'x'.repeat(2_000) });
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  }
}).listen(3000);

process.on('SIGTERM', () => process.exit(0));
