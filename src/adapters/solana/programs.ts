/** Programs and accounts of Solana that balances are read from (solana.com/docs, spl.solana.com, docs.sns.id). */
export const TOKEN_PROGRAM = 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA';
export const TOKEN_2022_PROGRAM = 'TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb';
/** The mints of wrapped SOL, one for each token program. */
export const WRAPPED_SOL_MINTS: ReadonlySet<string> = new Set([
  'So11111111111111111111111111111111111111112',
  '9pan9bMn5HatX4EJdBwg9VgCa7Uz5HL8N1m5D3NdXejP',
]);
export const STAKE_PROGRAM = 'Stake11111111111111111111111111111111111111';
export const METADATA_PROGRAM = 'metaqbxxUerdq28cj1RbAkAyShQhVpvRkd2rJz7w6ga';
export const NAME_PROGRAM = 'namesLPneVptA9Z5rqUDD9tMTWEJwofgaYwp8cawRkX';
/** The parent of all `.sol` names. */
export const SOL_DOMAIN = '58PwtjSDuFHuUkYjH9BYnnQKHfwo9reZhC2zMJv9JPkx';
/** The class of a name's second-generation records. */
export const NAME_RECORDS_CLASS = '2pMnqHvei2N5oDcVGCRdZx48gqti199wr5CsyTTafsbo';
export const CLOCK_SYSVAR = 'SysvarC1ock11111111111111111111111111111111';
