/** Does `total` pieces of work, `lanes` of them at a time. */
export async function atOnce(lanes: number, total: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (next < total) {
        await work(next++);
      }
    }),
  );
}
