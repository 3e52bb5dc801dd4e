/** What BM25 knows of all texts at a path. */
export interface TextStatistics {
  /** Documents of the container, those without a text at the path included. */
  readonly documentCount: number;
  /** Words of all the texts together. */
  readonly totalWordCount: number;
  /** For each term, how many documents have it. */
  readonly hitCounts: readonly number[];
}

/** How soon further occurrences of a term stop to count. */
const SATURATION = 1.2;
/** How much longer texts are held back. */
const LENGTH_WEIGHT = 0.75;

/** How much a term tells; never negative, also for one that most documents have. */
function inverseFrequency(documentCount: number, hits: number): number {
  return Math.log(1 + (Math.max(documentCount, hits) - hits + 0.5) / (hits + 0.5));
}

/**
 * The score of a text: the sum of the scores of the terms, each from how often it stands in the text (`counts`) and how many documents have it.
 *
 * Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), with the usual k1 = 1.2 and b = 0.75 and the form of
 * the inverse frequency that stays positive.
 */
export function bm25(counts: readonly number[], wordCount: number, { documentCount, totalWordCount, hitCounts }: TextStatistics): number {
  const averageLength = totalWordCount / Math.max(documentCount, 1);
  const length = averageLength > 0 ? wordCount / averageLength : 1;
  let score = 0;
  for (const [index, count] of counts.entries()) {
    if (count > 0) {
      const frequency = (count * (SATURATION + 1)) / (count + SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * length));
      score += inverseFrequency(documentCount, hitCounts[index] ?? 0) * frequency;
    }
  }
  return score;
}
