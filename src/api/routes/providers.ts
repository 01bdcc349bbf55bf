import type { EndpointStatus } from '../../lib/json-rpc/pool/endpoint-status.ts';
import { presentEndpoint } from '../presenters/providers.ts';
import { providersExample } from '../providers-example.ts';
import { defineRoute, noBody, type Route, reply } from '../route.ts';
import { nothing } from '../schemas/common.ts';
import { providersSchema } from '../schemas/providers.ts';

type ProviderRouteDeps = {
  /** By chain slug. */
  readonly endpointStates: () => ReadonlyMap<string, readonly EndpointStatus[]>;
};

/** How the endpoints of chains are. */
export function createProviderRoutes({ endpointStates }: ProviderRouteDeps): readonly Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/providers',
      operationId: 'listProviders',
      access: 'any_key',
      tag: 'System',
      summary: 'How the endpoints of chains are',
      description:
        'State, lag, breaker and budget of every endpoint, in order of preference, as the process that answers sees them. Workers that run apart have a view of their own, in their metrics.',
      isMomentary: true,
      params: nothing,
      query: nothing,
      body: noBody,
      replies: { 200: { description: 'Every endpoint there is.', schema: providersSchema, example: providersExample } },
      errors: [],
      handler: async () => {
        const providers = [...endpointStates()].map(([chain, states]) => ({ chain, endpoints: states.map(presentEndpoint) }));
        return reply(200, { providers });
      },
    }),
  ];
}
