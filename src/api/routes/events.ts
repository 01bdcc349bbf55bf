import { EVENT_STREAM_TYPE, type EventStream, toHeartbeatFrame } from '../../lib/event-stream.ts';
import type { LiveService, LiveStream } from '../../services/events/live-service.ts';
import { eventStreamExample } from '../events-example.ts';
import { presentMessage } from '../presenters/event.ts';
import { defineRoute, noBody, type Route, reply } from '../route.ts';
import { nothing } from '../schemas/common.ts';
import { eventStreamSchema, eventsHeaders, eventsQuery } from '../schemas/events.ts';

const DESCRIPTION = `Server-sent events, for as long as you listen. First comes \`snapshot\`: what the portfolio comes to and which sources are not well. Then comes what happens, in order, each with an \`id\` to go on from, and
\`portfolio\` (without an id) whenever the total has changed, once a second at most. Come back with the \`id\` you had last as \`Last-Event-ID\` and you get what you have missed, each once; after seven days, or 10,000 events, a new
snapshot instead. Events are told as they were when they happened, and may hold more fields one day. A comment every 15 seconds says that the connection lives. Whoever reads too slowly is cut off, and so is a key
that is revoked.`;

/** Well within what the database counts by. */
const EVENT_ID = /^\d{1,18}$/;

/** What happens, as it happens. */
export function createEventRoutes(live: Pick<LiveService, 'open'>): readonly Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/events',
      operationId: 'streamEvents',
      access: 'read:values',
      isMomentary: true,
      tag: 'Alerts',
      summary: 'Follow what happens',
      description: DESCRIPTION,
      params: nothing,
      query: eventsQuery,
      requestHeaders: eventsHeaders,
      body: noBody,
      replies: {
        200: {
          description: 'The stream. It ends with a `retry`, the milliseconds after which to come back.',
          schema: eventStreamSchema,
          mediaType: EVENT_STREAM_TYPE,
          example: eventStreamExample,
        },
      },
      errors: [],
      handler: async ({ tenantId, query, header }) => {
        const after = header('last-event-id') ?? query.last_event_id;
        const options = {
          after: after !== undefined && EVENT_ID.test(after) ? BigInt(after) : null,
          types: query.types === undefined ? null : new Set(query.types),
        };
        return { ...reply(200, ''), stream: toEventStream(await live.open(tenantId, options)) };
      },
    }),
  ];
}

function toEventStream(stream: LiveStream): EventStream {
  let told: bigint | undefined;
  return {
    start: ({ write, untilTaken, end }) =>
      stream.start({
        send(message) {
          if (message.kind === 'event') told = message.event.seq;
          write(presentMessage(message));
        },
        untilTaken,
        end,
      }),
    heartbeat() {
      const position = stream.position();
      // What was passed over moves the reader on as well.
      const isBehind = position !== undefined && position !== told;
      told = position;
      return toHeartbeatFrame(isBehind ? position.toString() : null);
    },
    close: stream.close,
  };
}
