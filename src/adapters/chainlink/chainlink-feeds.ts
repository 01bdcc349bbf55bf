/**
 * Chainlink's feeds on Ethereum. Addresses and heartbeats as published at data.chain.link, taken from the public LZeroAnalytics/chainlink-package
 * (src/package_io/constants.star) and met again in other public repositories; AAVE's as in Aave v3's own oracle, POL's being the one still
 * named after MATIC. An asset is priced by a feed only where it is the very thing, or a form of it that a contract or its issuer
 * redeems one to one.
 */
export type PriceFeed = {
  /** The proxy contract. */
  readonly address: string;
  /** The feed is written at least this often, and sooner when the price moves. */
  readonly heartbeatSeconds: number;
  /** `chain/token address`, or `chain/native`. Token addresses in lower case, but for Solana's. */
  readonly assets: readonly string[];
};

const HOUR = 3600;
const DAY = 24 * HOUR;

/** By the pair they are named after. */
export const priceFeeds: Readonly<Record<string, PriceFeed>> = {
  'ETH / USD': {
    address: '0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419',
    heartbeatSeconds: HOUR,
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
      'linea/0xe5d7c2a44ffddf6b295a15c148167daaaf5cf34f',
      'scroll/0x5300000000000000000000000000000000000004',
      'polygon/0x7ceb23fd6bc0add59e62ac25578270cff1b9f619',
    ],
  },
  'BTC / USD': {
    address: '0xF4030086522a5bEEa4988F8cA5B36dbC97BeE88c',
    heartbeatSeconds: HOUR,
    assets: [
      'ethereum/0x2260fac5e5542a773aa44fbcfedf7c193bc2c599',
      'arbitrum/0x2f2a2543b76a4166549f7aab2e75bef0aefc5b0f',
      'optimism/0x68f180fcce6836688e9084f035309e29bf0a2095',
      'polygon/0x1bfd67037b42cf73acf2047067bd4f2c47d9bfd6',
    ],
  },
  'USDC / USD': {
    address: '0x8fFfFfd4AfB6115b954Bd326cbe7B4BA576818f6',
    heartbeatSeconds: DAY,
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
  'USDT / USD': {
    address: '0x3E7d1eAB13ad0104d2750B8863b489D65364e32D',
    heartbeatSeconds: DAY,
    assets: [
      'ethereum/0xdac17f958d2ee523a2206206994597c13d831ec7',
      'optimism/0x94b008aa00579c1307b0ef2c499ad98a8ce58e58',
      'polygon/0xc2132d05d31c914a87c6611c10748aeb04b58e8f',
      'avalanche/0x9702230a8ea53601f5cd2dc00fdbc13d4df4a8c7',
      'solana/Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB',
    ],
  },
  'DAI / USD': {
    address: '0xAed0c38402a5d19df6E4c03F4E2DceD6e29c1ee9',
    heartbeatSeconds: HOUR,
    assets: [
      'ethereum/0x6b175474e89094c44da98b954eedeac495271d0f',
      'base/0x50c5725949a6f0c72e6c4a641f24049a917db0cb',
      'arbitrum/0xda10009cbd5d07dd0cecc66161fc93d7c9000da1',
      'optimism/0xda10009cbd5d07dd0cecc66161fc93d7c9000da1',
      'polygon/0x8f3cf7ad23cd3cadbd9735aff958023239c6a063',
      'gnosis/native',
      'gnosis/0xe91d153e0b41518a2ce8dd3d7944fa863463a97d',
    ],
  },
  'USDS / USD': token('0xfF30586cD0F29eD462364C7e81375FC0C71219b1', DAY, '0xdc035d45d973e3ec169d2276ddab16f1e407384f'),
  'USDe / USD': token('0xa569d910839Ae8865Da8F8e70FfFb0cBA869F961', DAY, '0x4c9edd5852cd905f086c759e8383e09bff1e68b3'),
  'PYUSD / USD': token('0x8f1dF6D7F2db73eECE86a18b4381F4707b918FB1', DAY, '0x6c3ea9036406852006290770bedfcaba0e23a0e8'),
  'GHO / USD': token('0x3f12643D3f6f874d39C2a4c9f2Cd6f2DbAC877FC', DAY, '0x40d16fc0246ad3160ccc09b8d0d3a2cd28ae6c2f'),
  'CRVUSD / USD': token('0xEEf0C605546958c1f899b6fB336C20671f9cD49F', DAY, '0xf939e0a03fb07f59a73314e73794be0e57ac1b4e'),
  'LUSD / USD': token('0x3D7aE7E594f2f2091Ad8798313450130d0Aba3a0', HOUR, '0x5f98805a4e8be255a32880fdec7f6728c6568ba0'),
  'TUSD / USD': token('0xec746eCF986E2927Abd291a2A1716c940100f8Ba', DAY, '0x0000000000085d4780b73119b644ae5ecd22b376'),
  'USDP / USD': token('0x09023c0DA49Aaf8fc3fA3ADF34C6A7016D38D5e3', HOUR, '0x8e870d67f660d95d5be530380d0ec0bd388289e1'),
  'TBTC / USD': token('0x8350b7De6a6a2C1368E7D4Bd968190e13E354297', DAY, '0x18084fba666a33d37592fa2633fd49a74dd93a88'),
  'STETH / USD': token('0xCfE54B5cD566aB89272946F602D76Ea879CAb4a8', HOUR, '0xae7ab96520de3a18e5e111b5eaab095312d7fe84'),
  'LINK / USD': {
    address: '0x2c1d072e956AFFC0D435Cb7AC38EF18d24d9127c',
    heartbeatSeconds: HOUR,
    assets: [
      'ethereum/0x514910771af9ca656af840dff83e8264ecf986ca',
      'arbitrum/0xf97f4df75117a78c1a5a0dbb814af92458539fb4',
      'optimism/0x350a791bfc2c21f9ed5d10980dad2e2638ffa7f6',
      'polygon/0x53e0bca35ec356bd5dddfebbd1fc0fd03fabad39',
    ],
  },
  'UNI / USD': {
    address: '0x553303d460EE0afB37EdFf9bE42922D8FF63220e',
    heartbeatSeconds: HOUR,
    assets: ['ethereum/0x1f9840a85d5af5bf1d1762f925bdaddc4201f984', 'arbitrum/0xfa7f8980b0f1e64a2062791cc3b0871572f1f7f0'],
  },
  'AAVE / USD': {
    address: '0xbd7F896e60B650C01caf2d7279a1148189A68884',
    heartbeatSeconds: HOUR,
    assets: ['ethereum/0x7fc66500c84a76ad7e9c93437bfc5ac33e2ddae9', 'polygon/0xd6df932a45c0f255f85145f286ea0b292b21c90b'],
  },
  'ARB / USD': {
    address: '0x31697852a68433DbCc2Ff612c516d69E3D9bd08F',
    heartbeatSeconds: DAY,
    assets: ['arbitrum/0x912ce59144191c1204e64559fe8253a0e49e6548', 'ethereum/0xb50721bcf8d664c30412cfbc6cf7a15145234ad1'],
  },
  '1INCH / USD': token('0xc929ad75B72593967DE83E7F7Cda0493458261D9', DAY, '0x111111111117dc0aa78b770fa6a738034120c302'),
  'APE / USD': token('0xD10aBbC76679a20055E167BB80A24ac851b37056', DAY, '0x4d224452801aced8b2f0aebe155379bb5d594381'),
  'BAL / USD': token('0xdF2917806E30300537aEB49A7663062F4d1F2b5F', DAY, '0xba100000625a3754423978a60c9317c58a424e3d'),
  'COMP / USD': token('0xdbd020CAeF83eFd542f4De03e3cF0C28A4428bd5', HOUR, '0xc00e94cb662c3520282e6f5717214004a7f26888'),
  'CRV / USD': token('0xCd627aA160A6fA45Eb793D19Ef54f5062F20f33f', DAY, '0xd533a949740bb3306d119cc777fa900ba034cd52'),
  'CVX / USD': token('0xd962fC30A72A84cE50161031391756Bf2876Af5D', DAY, '0x4e3fbd56cd56c3e72c1403e103b45db9da5b9d2b'),
  'ENS / USD': token('0x5C00128d4d1c2F4f652C267d7bcdD7aC99C16E16', DAY, '0xc18360217d8f7ab5e7c516566761ea12ce7f9d72'),
  'ETHFI / USD': token('0x19678515847d8DE85034dAD0390e09c3048d31cd', DAY, '0xfe0c30065b384f05761f15d0cc899d4f9f9cc0eb'),
  'GRT / USD': token('0x86cF33a451dE9dc61a2862FD94FF4ad4Bd65A5d2', DAY, '0xc944e90c64b2c07662a292be6244bdf05cda44a7'),
  'IMX / USD': token('0xBAEbEFc1D023c0feCcc047Bff42E75F15Ff213E6', DAY, '0xf57e7e7c23978c3caec3c3548e3d615c346e79ff'),
  'RPL / USD': token('0x4E155eD98aFE9034b7A5962f6C84c86d869daA9d', DAY, '0xd33526068d116ce69f19a9ee46f0bd304f21a51f'),
  'SNX / USD': token('0xDC3EA94CD0AC27d9A86C180091e7f78C683d3699', DAY, '0xc011a73ee8576fb46f5e1c5751ca3b9fe0af2a6f'),
  'SUSHI / USD': token('0xCc70F09A6CC17553b2E31954cD36E4A2d89501f7', HOUR, '0x6b3595068778dd592e39a122f4f5a5cf09c90fe2'),
  'YFI / USD': token('0xA027702dbb89fbd58938e4324ac03B58d812b0E1', HOUR, '0x0bc529c00c6401aef6d220be8c6ea1667f6ad93e'),
  'SOL / USD': {
    address: '0x4ffC43a60e009B551865A93d232E33Fce9f01507',
    heartbeatSeconds: DAY,
    assets: ['solana/native', 'solana/So11111111111111111111111111111111111111112'],
  },
  'BNB / USD': {
    address: '0x14e613AC84a31f709eadbdF89C6CC390fDc9540A',
    heartbeatSeconds: DAY,
    assets: ['bsc/native', 'bsc/0xbb4cdb9cbd36b01bd1cbaebf2de08d9173bc095c'],
  },
  'MATIC / USD': {
    address: '0x7bAC85A8a13A4BcD8abb3eB7d6b4d632c5a57676',
    heartbeatSeconds: HOUR,
    assets: [
      'polygon/native',
      'polygon/0x0d500b1d8e8ef31e21c99d1db9a6444d3adf1270',
      'ethereum/0x455e53cbb86018ac2b8092fdcd39d8444affc3f6',
    ],
  },
  'AVAX / USD': {
    address: '0xFF3EEb22B5E3dE6e705b44749C2559d704923FD7',
    heartbeatSeconds: DAY,
    assets: ['avalanche/native', 'avalanche/0xb31f66aa3c1e785363f0875a1b74e27b85fd66c7'],
  },
};

/** A feed of one token on Ethereum. */
function token(address: string, heartbeatSeconds: number, tokenAddress: string): PriceFeed {
  return { address, heartbeatSeconds, assets: [`ethereum/${tokenAddress}`] };
}

/** Currency feeds on Ethereum: US dollars for one unit of the currency, by its code. All of the currencies' own are written daily. */
export const currencyFeeds: Readonly<Record<string, string>> = {
  EUR: '0xb49f677943BC038e9857d61E7d053CaA2C1734C1',
  GBP: '0x5c0Ab2d9b5a7ed9f470386e82BB36A3613cDd4b5',
  JPY: '0xBcE206caE7f0ec07b545EddE332A47C2F75bbeb3',
  CHF: '0x449d117117838fFA61263B61dA6301AA2a88B13A',
  AUD: '0x77F9710E7d0A19669A13c055F62cd80d313dF022',
  CAD: '0xa34317DB73e77d453b1B8d04550c44D10e981C8e',
  CNY: '0xeF8A4aF35cd47424672E3C590aBD37FBB7A7759a',
  KRW: '0x01435677FB11763550905594A16B645847C1d0F3',
  NZD: '0x3977CFc9e4f29C184D4675f4EB8e0013236e5f3e',
  PHP: '0x3C7dB4D25deAb7c89660512C5494Dc9A3FC40f78',
  SGD: '0xe25277fF4bbF9081C75Ab0EB13B4A13a721f3E13',
  TRY: '0xB09fC5fD3f11Cf9eb5E1C5Dba43114e3C9f477b5',
  BTC: '0xF4030086522a5bEEa4988F8cA5B36dbC97BeE88c',
  ETH: '0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419',
};
