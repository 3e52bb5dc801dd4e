/** What the pages of a query counted together. */
export interface CompletedRun {
  readonly pages: number;
  readonly documentsScanned: number;
  readonly itemsReturned: number;
  readonly requestUnits: number;
}

/** What is counted of a page. */
export interface CountedPage {
  readonly items: readonly unknown[];
  readonly continuation: string | undefined;
  readonly documentsScanned: number;
  readonly requestUnits: number;
}

/** Reads the pages of a query to the last, and keeps nothing but their counts. */
export async function runToEnd(
  start: string | undefined,
  readPage: (continuation: string | undefined) => Promise<CountedPage>,
): Promise<CompletedRun> {
  let continuation = start;
  let [pages, documentsScanned, itemsReturned, requestUnits] = [0, 0, 0, 0];
  do {
    const page = await readPage(continuation);
    pages += 1;
    documentsScanned += page.documentsScanned;
    itemsReturned += page.items.length;
    requestUnits += page.requestUnits;
    ({ continuation } = page);
  } while (continuation !== undefined);
  return { pages, documentsScanned, itemsReturned, requestUnits: Math.round(requestUnits * 100) / 100 };
}
