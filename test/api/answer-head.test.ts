import express, { type RequestHandler } from 'express';
import { expect, it } from 'vitest';
import { beginHead, findInHead, setInHead } from '../../src/api/answer-head.ts';
import { request } from '../support/request.ts';

const serve = (handler: RequestHandler) => {
  const app = express();
  app.use((_request, response, next) => {
    beginHead(response, ['X-One', '1', 'X-Two', '2']);
    next();
  });
  app.use(handler);
  return request(app).get('/');
};

it.each<[string, RequestHandler]>([
  ['a list of fields', (_request, response) => void response.writeHead(200, ['X-Own', 'own']).end()],
  ['an object of fields', (_request, response) => void response.writeHead(200, { 'X-Own': 'own' }).end()],
  ['fields set one by one', (_request, response) => void response.setHeader('X-Own', 'own').end()],
  ['fields set before a list', (_request, response) => void response.setHeader('X-Own', 'own').writeHead(200, ['A', 'b']).end()],
  ['Express', (_request, response) => void response.set('X-Own', 'own').send('text')],
])('goes out with %s', async (_, handler) => {
  const { headers } = await serve(handler).expect(200);
  expect(headers).toMatchObject({ 'x-one': '1', 'x-two': '2', 'x-own': 'own' });
});

it('says a field once, as it was set last', async () => {
  const { headers } = await serve((_request, response) => {
    setInHead(response, 'X-Two', 'two');
    setInHead(response, 'X-Three', '3');
    setInHead(response, 'X-Three', 'three');
    expect(findInHead(response, 'X-Three')).toBe('three');
    response.writeHead(200, []).end();
  }).expect(200);
  expect(headers).toMatchObject({ 'x-one': '1', 'x-two': 'two', 'x-three': 'three' });
});

it('gives way to what is set on the answer itself', async () => {
  const { headers } = await serve((_request, response) => void response.setHeader('X-One', 'own').end()).expect(200);
  expect(headers).toMatchObject({ 'x-one': 'own', 'x-two': '2' });
});
