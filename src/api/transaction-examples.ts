import type { ImportReportWire, TransactionPageWire, TransactionWire } from './schemas/transactions.ts';

/** What requests and answers about the ledger look like in the docs. */
const WALLET_ID = '0198b6f0-5d5c-7e52-9a5f-3f1d2c4b5a60';
const REFERENCE = 'exchange-4711';

const bought: TransactionWire = {
  id: '0198b6f0-5d5c-7e52-9a5f-3f1d2c4b5a70',
  derived: false,
  pending: false,
  type: 'deposit',
  origin: 'manual',
  occurred_at: '2026-11-20T09:30:00.000Z',
  wallet_id: WALLET_ID,
  chain: 'ethereum',
  token_symbol: 'ETH',
  token_name: 'Ether',
  token_address: null,
  asset_id: 'eip155:1/slip44:60',
  asset_uuid: '0198b6f0-5d5c-7e52-9a5f-3f1d2c4b5a61',
  decimals: 18,
  amount_raw: '500000000000000000',
  amount: '0.5',
  price: { value: '2700', currency: 'USD', source: 'entry', quoted_at: null },
  usd_value: '1350',
  value_reason: null,
  excluded: false,
  counterparty: null,
  tx_hash: null,
  block: null,
  note: 'From the exchange',
};

const unexplained: TransactionWire = {
  ...bought,
  id: null,
  derived: true,
  type: 'unexplained',
  origin: null,
  occurred_at: '2026-11-21T12:00:00.000Z',
  amount_raw: '-10000000000000000',
  amount: '-0.01',
  price: { value: '2800.5', currency: 'USD', source: 'defillama', quoted_at: '2026-11-21T11:58:00.000Z' },
  usd_value: '-28.005',
  note: null,
};

export const newTransactionsExample = {
  transactions: [
    {
      wallet_id: WALLET_ID,
      asset_id: 'eip155:1/slip44:60',
      type: 'deposit' as const,
      amount: '0.5',
      occurred_at: '2026-11-20T10:30:00+01:00',
      price: { value: '2700', currency: 'USD' },
      note: 'From the exchange',
      reference: REFERENCE,
    },
  ],
};

export const transactionExample = bought;

export const addedTransactionsExample = { transactions: [bought] };

export const transactionPageExample: TransactionPageWire = {
  transactions: [unexplained, bought],
  complete: false,
  imports: [
    {
      wallet_id: WALLET_ID,
      chain: 'ethereum',
      complete: false,
      from_block: 23_850_000,
      through_block: 23_850_112,
      has_native: false,
      outcome: 'ok',
      error: null,
      attempted_at: '2026-11-21T11:59:30.000Z',
      age_seconds: 30,
    },
  ],
  generated_at: '2026-11-21T12:00:00.000Z',
  next_cursor: null,
};

export const importFileExample = `wallet_id,asset_id,type,amount,occurred_at,price,currency,note,reference
${WALLET_ID},eip155:1/slip44:60,deposit,0.5,2026-11-20 10:30:00,2700,USD,From the exchange,${REFERENCE}
${WALLET_ID},eip155:1/slip44:60,withdrawal,-0.1,2026-11-20 18:00:00,,,,
`;

export const importReportExample: ImportReportWire = {
  dry_run: false,
  lines: 2,
  added: 1,
  known: [{ line: 2, reference: REFERENCE }],
  errors: [],
};

export const refusedImportExample: ImportReportWire = {
  dry_run: false,
  lines: 2,
  added: 0,
  known: [],
  errors: [
    {
      line: 3,
      column: 'occurred_at',
      code: 'ambiguous_time',
      message: 'The clocks of the zone show this time twice. Give it with its offset.',
    },
  ],
};
