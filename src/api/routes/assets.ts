import { z } from 'zod';
import type { AssetPatch, AssetService, AssetView } from '../../services/asset-service.ts';
import { etagHeader, etagOfVersion, ifMatchHeaders, readIfMatch } from '../entity-tag.ts';
import { assetExample, assetPageExample, newAssetExample } from '../examples.ts';
import { type ChainsBySlug, presentAsset } from '../presenters/asset.ts';
import { defineRoute, noBody, type Route, reply } from '../route.ts';
import {
  acceptPriceSchema,
  assetIdParams,
  assetPageSchema,
  assetPatchSchema,
  assetSchema,
  newAssetSchema,
} from '../schemas/assets.ts';
import { chainSlug, cursorQuery, includeQuery, limitQuery, nothing } from '../schemas/common.ts';
import { TOKEN_ERRORS, withDeadline } from './upstream.ts';

type AssetRouteDeps = { readonly assets: AssetService; readonly chains: ChainsBySlug };

const LOCATION = { Location: 'Path of the asset.', ...etagHeader };
const theAsset = {
  description: 'The asset as it is now.',
  schema: assetSchema,
  example: assetExample,
  headers: etagHeader,
} as const;

/** What is held or followed, and the owner's word on it. */
export function createAssetRoutes(deps: AssetRouteDeps): readonly Route[] {
  return [listRoute(deps), addRoute(deps), getRoute(deps), patchRoute(deps), untrackRoute(deps), acceptRoute(deps)];
}

function listRoute({ assets, chains }: AssetRouteDeps): Route {
  return defineRoute({
    method: 'get',
    path: '/assets',
    operationId: 'listAssets',
    access: 'read:values',
    tag: 'Assets',
    summary: 'List the assets',
    description:
      'Everything that is held, was added by hand, or has a setting of yours. Spam is left out unless asked for; a page may hold fewer than `limit`.',
    params: nothing,
    query: z.strictObject({ limit: limitQuery, cursor: cursorQuery, chain: chainSlug.optional(), include: includeQuery }),
    body: noBody,
    replies: { 200: { description: 'A page of assets.', schema: assetPageSchema, example: assetPageExample } },
    errors: ['unknown_chain'],
    handler: async ({ tenantId, query, pages }) => {
      const chain = query.chain ?? null;
      const { encode, decode } = pages({ list: 'assets', chain });
      const after = decode(query.cursor, cursorPlace);
      const page = await assets.list(tenantId, {
        limit: query.limit,
        afterId: after?.id ?? null,
        chain,
        includeSpam: query.include !== undefined,
      });
      return reply(200, {
        assets: page.assets.map((view) => presentAsset(view, chains)),
        next_cursor: page.nextId === null ? null : encode({ id: page.nextId }),
      });
    },
  });
}

const cursorPlace = z.strictObject({ id: z.uuid() });

function addRoute({ assets, chains }: AssetRouteDeps): Route {
  return defineRoute({
    method: 'post',
    path: '/assets',
    operationId: 'addAsset',
    access: 'write',
    tag: 'Assets',
    summary: 'Follow a token',
    isPatient: true,
    cost: 2,
    description: 'Asks the chain what it is. From then on every refresh of that chain reads its balances too.',
    params: nothing,
    query: nothing,
    body: { schema: newAssetSchema, presence: 'required', example: newAssetExample },
    replies: {
      201: { description: 'Followed from now on.', schema: assetSchema, example: assetExample, headers: LOCATION },
      200: { description: 'Followed already.', schema: assetSchema, example: assetExample, headers: LOCATION },
    },
    errors: TOKEN_ERRORS,
    handler: async ({ tenantId, body, signal }) => {
      const { created, ...view } = await assets.add(tenantId, body, withDeadline(signal()));
      const told = tellAsset(view, chains);
      const headers = { ...told.headers, Location: `/api/v1/assets/${view.asset.id}` };
      return reply(created ? 201 : 200, told.body, headers);
    },
  });
}

function getRoute({ assets, chains }: AssetRouteDeps): Route {
  return defineRoute({
    method: 'get',
    path: '/assets/{id}',
    operationId: 'getAsset',
    access: 'read:values',
    tag: 'Assets',
    summary: 'Read an asset',
    params: assetIdParams,
    query: nothing,
    body: noBody,
    replies: { 200: { ...theAsset, description: 'The asset.' } },
    errors: ['asset_not_found'],
    handler: async ({ tenantId, params }) => tellAsset(await assets.get(tenantId, params.id), chains),
  });
}

function patchRoute({ assets, chains }: AssetRouteDeps): Route {
  return defineRoute({
    method: 'patch',
    path: '/assets/{id}',
    operationId: 'updateAsset',
    access: 'write',
    tag: 'Assets',
    summary: 'Overrule the price or the spam verdict of an asset',
    params: assetIdParams,
    query: nothing,
    body: { schema: assetPatchSchema, presence: 'required', example: { spam: false, manual_price: '0.25' } },
    requestHeaders: ifMatchHeaders,
    replies: { 200: theAsset },
    errors: ['asset_not_found', 'precondition_failed'],
    handler: async ({ tenantId, params, body, header }) => {
      const patch = { ...toPatch(body), ifVersion: readIfMatch(header('if-match')) };
      return tellAsset(await assets.update(tenantId, params.id, patch), chains);
    },
  });
}

function untrackRoute({ assets }: AssetRouteDeps): Route {
  return defineRoute({
    method: 'delete',
    path: '/assets/{id}',
    operationId: 'untrackAsset',
    access: 'write',
    tag: 'Assets',
    summary: 'Stop following a token that was added by hand',
    params: assetIdParams,
    query: nothing,
    body: noBody,
    replies: { 204: { description: 'Not followed any more.', schema: null, example: null } },
    requestHeaders: ifMatchHeaders,
    errors: ['asset_not_found', 'precondition_failed'],
    handler: async ({ tenantId, params, header }) => {
      await assets.untrack(tenantId, params.id, readIfMatch(header('if-match')));
      return reply(204, null);
    },
  });
}

function acceptRoute({ assets, chains }: AssetRouteDeps): Route {
  return defineRoute({
    method: 'post',
    path: '/assets/{id}/accept-price',
    operationId: 'acceptPrice',
    access: 'write',
    tag: 'Assets',
    summary: 'Accept a price that is held back',
    description: 'From then on it counts in totals. A 409 says that another price is quoted by now.',
    params: assetIdParams,
    query: nothing,
    body: { schema: acceptPriceSchema, presence: 'required', example: { value: '1.0002' } },
    replies: { 200: theAsset },
    errors: ['asset_not_found', 'conflict'],
    handler: async ({ tenantId, params, body }) => tellAsset(await assets.acceptPrice(tenantId, params.id, body.value), chains),
  });
}

function tellAsset(view: AssetView, chains: ChainsBySlug) {
  const body = presentAsset(view, chains);
  return reply(200, body, etagOfVersion(view.settings.version, body));
}

function toPatch({ spam, manual_price: manualPrice }: z.output<typeof assetPatchSchema>): Omit<AssetPatch, 'ifVersion'> {
  return {
    ...(spam === undefined ? {} : { spam: spam === null ? null : spam ? 'spam' : 'not_spam' }),
    ...(manualPrice === undefined ? {} : { manualPrice }),
  };
}
