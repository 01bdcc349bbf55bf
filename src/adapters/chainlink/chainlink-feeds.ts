/**
 * Chainlink's USD price feeds on Ethereum, as published at data.chain.link and seen alike in many public repositories. An asset is priced by a feed
 * only where it is the very thing, or a wrapped form of it that is redeemed one to one.
 */
export type PriceFeed = {
  readonly pair: string;
  /** The proxy contract on Ethereum. */
  readonly address: string;
  /** `chain/token address`, or `chain/native`. Token addresses in lower case, but for Solana's. */
  readonly assets: readonly string[];
};

export const priceFeeds: readonly PriceFeed[] = [
  {
    pair: 'ETH / USD',
    address: '0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419',
    assets: [
      'ethereum/native',
      'base/native',
      'arbitrum/native',
      'optimism/native',
      'linea/native',
      'scroll/native',
      'ethereum/0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2',
      'base/0x4200000000000000000000000000000000000006',
      'optimism/0x4200000000000000000000000000000000000006',
      'arbitrum/0x82af49447d8a07e3bd95bd0d56f35241523fbab1',
    ],
  },
  {
    pair: 'BTC / USD',
    address: '0xF4030086522a5bEEa4988F8cA5B36dbC97BeE88c',
    assets: ['ethereum/0x2260fac5e5542a773aa44fbcfedf7c193bc2c599'],
  },
  {
    pair: 'USDC / USD',
    address: '0x8fFfFfd4AfB6115b954Bd326cbe7B4BA576818f6',
    assets: [
      'ethereum/0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48',
      'base/0x833589fcd6edb6e08f4c7c32d4f71b54bda02913',
      'arbitrum/0xaf88d065e77c8cc2239327c5edb3a432268e5831',
      'optimism/0x0b2c639c533813f4aa9d7837caf62653d097ff85',
      'polygon/0x3c499c542cef5e3811e1192ce70d8cc03d5c3359',
      'avalanche/0xb97ef9ef8734c71904d8002f8b6bc66dd9c48a6e',
      'solana/EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v',
    ],
  },
  {
    pair: 'USDT / USD',
    address: '0x3E7d1eAB13ad0104d2750B8863b489D65364e32D',
    assets: ['ethereum/0xdac17f958d2ee523a2206206994597c13d831ec7', 'solana/Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB'],
  },
  {
    pair: 'DAI / USD',
    address: '0xAed0c38402a5d19df6E4c03F4E2DceD6e29c1ee9',
    assets: ['ethereum/0x6b175474e89094c44da98b954eedeac495271d0f'],
  },
  { pair: 'xDAI is DAI', address: '0xAed0c38402a5d19df6E4c03F4E2DceD6e29c1ee9', assets: ['gnosis/native'] },
  {
    pair: 'LINK / USD',
    address: '0x2c1d072e956AFFC0D435Cb7AC38EF18d24d9127c',
    assets: ['ethereum/0x514910771af9ca656af840dff83e8264ecf986ca'],
  },
  {
    pair: 'UNI / USD',
    address: '0x553303d460EE0afB37EdFf9bE42922D8FF63220e',
    assets: ['ethereum/0x1f9840a85d5af5bf1d1762f925bdaddc4201f984'],
  },
  {
    pair: 'AAVE / USD',
    address: '0x547a514d5e3769680Ce22B2361c10Ea13619e8a9',
    assets: ['ethereum/0x7fc66500c84a76ad7e9c93437bfc5ac33e2ddae9'],
  },
  {
    pair: 'STETH / USD',
    address: '0xCfE54B5cD566aB89272946F602D76Ea879CAb4a8',
    assets: ['ethereum/0xae7ab96520de3a18e5e111b5eaab095312d7fe84'],
  },
  {
    pair: 'SOL / USD',
    address: '0x4ffC43a60e009B551865A93d232E33Fce9f01507',
    assets: ['solana/native', 'solana/So11111111111111111111111111111111111111112'],
  },
  { pair: 'BNB / USD', address: '0x14e613AC84a31f709eadbdF89C6CC390fDc9540A', assets: ['bsc/native'] },
  { pair: 'MATIC / USD', address: '0x7bAC85A8a13A4BcD8abb3eB7d6b4d632c5a57676', assets: ['polygon/native'] },
  { pair: 'AVAX / USD', address: '0xFF3EEb22B5E3dE6e705b44749C2559d704923FD7', assets: ['avalanche/native'] },
];

/** Currency feeds on Ethereum: US dollars for one unit of the currency. */
export const currencyFeeds: readonly { readonly currency: string; readonly address: string }[] = [
  { currency: 'EUR', address: '0xb49f677943BC038e9857d61E7d053CaA2C1734C1' },
  { currency: 'GBP', address: '0x5c0Ab2d9b5a7ed9f470386e82BB36A3613cDd4b5' },
  { currency: 'JPY', address: '0xBcE206caE7f0ec07b545EddE332A47C2F75bbeb3' },
  { currency: 'CHF', address: '0x449d117117838fFA61263B61dA6301AA2a88B13A' },
  { currency: 'AUD', address: '0x77F9710E7d0A19669A13c055F62cd80d313dF022' },
  { currency: 'BTC', address: '0xF4030086522a5bEEa4988F8cA5B36dbC97BeE88c' },
  { currency: 'ETH', address: '0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419' },
];
