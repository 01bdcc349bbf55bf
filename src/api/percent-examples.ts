import { portfolioExample } from './examples.ts';
import { historyExample } from './history-example.ts';
import { performanceExample } from './performance-example.ts';
import { redactHistory } from './presenters/percent-history.ts';
import { redactPerformance } from './presenters/percent-performance.ts';
import { redactPortfolio } from './presenters/percent-portfolio.ts';

/** What keys with `read:percent` get instead of the full examples. */
export const percentPortfolioExample = redactPortfolio(portfolioExample);
export const percentHistoryExample = redactHistory(historyExample);
export const percentPerformanceExample = redactPerformance(performanceExample);
