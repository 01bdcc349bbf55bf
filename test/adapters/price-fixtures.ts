import { getAddress } from 'ethers/address';
import type { PriceServer } from '../../localnet/price-server.ts';
import type { AssetRef } from '../../src/domain/asset.ts';
import type { HttpClient } from '../../src/lib/http-client.ts';
import type { BadQuote } from '../contract/price-source.contract.ts';

export const USDC: AssetRef = { chain: 'ethereum', address: '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48' };
export const ETHER: AssetRef = { chain: 'ethereum', address: null };
export const SOL: AssetRef = { chain: 'solana', address: null };
export const SOLANA_USDC: AssetRef = { chain: 'solana', address: 'EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v' };
/** A token that no vendor knows. */
export const NOBODYS: AssetRef = { chain: 'ethereum', address: '0x00000000000000000000000000000000DeaDBeef' };

/** The n-th of as many tokens as one likes. */
export function tokenOf(index: number, chain = 'ethereum'): AssetRef {
  return { chain, address: getAddress(`0x${(0x70ce0000 + index).toString(16).padStart(40, 'a')}`) };
}

/** What the vendors' answers must say for a quote to be bad in this way. */
export const SPOILERS: Readonly<Record<BadQuote, Parameters<PriceServer['setFault']>[1]>> = {
  quote_zero: 'value:0.0',
  quote_negative: 'value:-1.5',
  quote_absurd: 'value:1e30',
  quote_too_old: 'old',
};

/** The same client with less patience. */
export function hurried(http: HttpClient, timeoutMs: number): HttpClient {
  return { ...http, send: (request) => http.send({ ...request, timeoutMs }) };
}

/** An address that nobody listens at. */
export const DEAD_URL = 'http://127.0.0.1:9';
