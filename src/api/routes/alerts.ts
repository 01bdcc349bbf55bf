import { z } from 'zod';
import type { AlertRule } from '../../domain/alerts/alert.ts';
import { Decimal } from '../../domain/decimal.ts';
import type { AlertPatch, AlertService, AlertView } from '../../services/alerts/alert-service.ts';
import { etagHeader, etagOfVersion, ifMatchHeaders, readIfMatch } from '../entity-tag.ts';
import { presentAlert } from '../presenters/alert.ts';
import type { ChainsBySlug } from '../presenters/asset.ts';
import { defineRoute, noBody, type Route, reply } from '../route.ts';
import { type AlertWire, alertListSchema, alertPatchSchema, alertSchema, newAlertSchema } from '../schemas/alerts.ts';
import { nothing, uuid } from '../schemas/common.ts';

type AlertRouteDeps = { readonly alerts: AlertService; readonly chains: ChainsBySlug };

const params = z.strictObject({ id: uuid });

const alertExample: AlertWire = {
  id: '0198e500-0000-7000-8000-000000000001',
  name: 'Ether is dear',
  kind: 'price',
  wallet_id: null,
  asset_id: 'eip155:1/slip44:60',
  currency: 'EUR',
  direction: 'above',
  threshold: '5000',
  hysteresis: '0.02',
  cooldown_seconds: 3600,
  enabled: true,
  state: {
    status: 'ok',
    value: '3120.45',
    unknown_reasons: [],
    evaluated_at: '2026-11-21T12:00:05.000Z',
    triggered_at: null,
    resolved_at: null,
  },
  created_at: '2026-11-21T12:00:00.000Z',
  updated_at: '2026-11-21T12:00:00.000Z',
};

/** What a tenant wants to be told of. */
export function createAlertRoutes(deps: AlertRouteDeps): readonly Route[] {
  return [addRoute(deps), listRoute(deps), getRoute(deps), patchRoute(deps), deleteRoute(deps)];
}

function addRoute({ alerts, chains }: AlertRouteDeps): Route {
  return defineRoute({
    method: 'post',
    path: '/alerts',
    operationId: 'addAlert',
    access: 'write',
    tag: 'Alerts',
    summary: 'Be told when a figure crosses a line',
    description:
      'Each crossing is one `alert.triggered` event, each way back over the line and the hysteresis one `alert.resolved`: among the live events, and to webhooks. A figure that is not known for certain does neither, and the state says why. Looked at within seconds of every change. There can be 100 alerts.',
    cost: 2,
    params: nothing,
    query: nothing,
    body: {
      schema: newAlertSchema,
      presence: 'required',
      example: { kind: 'price', asset_id: 'eip155:1/slip44:60', currency: 'EUR', direction: 'above', threshold: '5000' },
    },
    replies: {
      201: {
        description: 'Looked at from now on.',
        schema: alertSchema,
        example: { ...alertExample, state: { ...alertExample.state, status: 'pending', value: null, evaluated_at: null } },
        headers: { Location: 'Path of the alert.' },
      },
    },
    errors: ['wallet_not_found', 'asset_not_found', 'quota_exceeded'],
    handler: async ({ tenantId, body }) => {
      const view = await alerts.add(tenantId, toRule(body));
      return reply(201, presentAlert(view, chains), { Location: `/api/v1/alerts/${view.alert.id}` });
    },
  });
}

function listRoute({ alerts, chains }: AlertRouteDeps): Route {
  return defineRoute({
    method: 'get',
    path: '/alerts',
    operationId: 'listAlerts',
    access: 'read:values',
    tag: 'Alerts',
    summary: 'List the alerts',
    params: nothing,
    query: nothing,
    body: noBody,
    replies: {
      200: { description: 'All of them, oldest first.', schema: alertListSchema, example: { alerts: [alertExample] } },
    },
    errors: [],
    handler: async ({ tenantId }) =>
      reply(200, { alerts: (await alerts.list(tenantId)).map((view) => presentAlert(view, chains)) }),
  });
}

function getRoute({ alerts, chains }: AlertRouteDeps): Route {
  return defineRoute({
    method: 'get',
    path: '/alerts/{id}',
    operationId: 'getAlert',
    access: 'read:values',
    tag: 'Alerts',
    summary: 'Read an alert and its state',
    params,
    query: nothing,
    body: noBody,
    replies: { 200: { description: 'The alert.', schema: alertSchema, example: alertExample, headers: etagHeader } },
    errors: ['alert_not_found'],
    handler: async ({ tenantId, params: { id } }) => tell(await alerts.get(tenantId, id), chains),
  });
}

function patchRoute({ alerts, chains }: AlertRouteDeps): Route {
  return defineRoute({
    method: 'patch',
    path: '/alerts/{id}',
    operationId: 'updateAlert',
    access: 'write',
    tag: 'Alerts',
    summary: 'Change an alert, or switch it off and on',
    description: 'What it is about stays. It is looked at anew; one that is set off and would not be now is over.',
    params,
    query: nothing,
    body: { schema: alertPatchSchema, presence: 'required', example: { threshold: '6000', enabled: true } },
    requestHeaders: ifMatchHeaders,
    replies: {
      200: {
        description: 'The alert as it is now.',
        schema: alertSchema,
        example: { ...alertExample, threshold: '6000' },
        headers: etagHeader,
      },
    },
    errors: ['alert_not_found', 'precondition_failed'],
    handler: async ({ tenantId, params: { id }, body, header }) => {
      const patch = { ...toPatch(body), ifVersion: readIfMatch(header('if-match')) };
      return tell(await alerts.update(tenantId, id, patch), chains);
    },
  });
}

function deleteRoute({ alerts }: AlertRouteDeps): Route {
  return defineRoute({
    method: 'delete',
    path: '/alerts/{id}',
    operationId: 'deleteAlert',
    access: 'write',
    tag: 'Alerts',
    summary: 'Be told of it no more',
    params,
    query: nothing,
    body: noBody,
    replies: { 204: { description: 'Gone.', schema: null, example: null } },
    requestHeaders: ifMatchHeaders,
    errors: ['alert_not_found', 'precondition_failed'],
    handler: async ({ tenantId, params: { id }, header }) => {
      await alerts.delete(tenantId, id, readIfMatch(header('if-match')));
      return reply(204, null);
    },
  });
}

function tell(view: AlertView, chains: ChainsBySlug) {
  const body = presentAlert(view, chains);
  return reply(200, body, etagOfVersion(view.alert.version, body));
}

function toRule(body: z.output<typeof newAlertSchema>): AlertRule {
  return {
    kind: body.kind,
    walletId: ('wallet_id' in body ? body.wallet_id : undefined) ?? null,
    assetId: 'asset_id' in body ? body.asset_id : null,
    currency: 'currency' in body ? body.currency.toUpperCase() : null,
    name: body.name ?? null,
    direction: 'direction' in body ? body.direction : 'above',
    threshold: new Decimal(body.threshold),
    hysteresis: new Decimal(body.hysteresis),
    cooldownSeconds: body.cooldown_seconds,
    isEnabled: true,
  };
}

function toPatch(body: z.output<typeof alertPatchSchema>): AlertPatch {
  const { name, direction, threshold, hysteresis, cooldown_seconds: cooldownSeconds, enabled } = body;
  return {
    ...(name === undefined ? {} : { name }),
    ...(direction === undefined ? {} : { direction }),
    ...(threshold === undefined ? {} : { threshold: new Decimal(threshold) }),
    ...(hysteresis === undefined ? {} : { hysteresis: new Decimal(hysteresis) }),
    ...(cooldownSeconds === undefined ? {} : { cooldownSeconds }),
    ...(enabled === undefined ? {} : { isEnabled: enabled }),
  };
}
