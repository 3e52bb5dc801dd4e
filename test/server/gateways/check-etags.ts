import { documentOf, type Call } from './history.ts';

/** Finds where etags do not name versions one to one, and where an etag has let more than one write through. */
export function checkEtags(calls: readonly Call[]): readonly string[] {
  const problems: string[] = [];
  const [writeOfEtag, etagOfWrite, winners] = [new Map<string, string>(), new Map<string, string>(), new Map<string, Call>()];
  for (const call of calls) {
    const { etag, ifWrite, outcome } = call;
    const w = call.kind === 'read' ? call.found?.w : call.w;
    if (etag !== undefined && w !== undefined && outcome === 'ok') {
      const [write, known] = [writeOfEtag.get(etag) ?? w, etagOfWrite.get(w) ?? etag];
      if (write !== w || known !== etag) {
        problems.push(`${documentOf(call)}: the etag ${etag} stands for the writes ${write} and ${w}, or ${w} has ${known} and ${etag}.`);
      }
      writeOfEtag.set(etag, w);
      etagOfWrite.set(w, etag);
    }
    if (ifWrite !== undefined && outcome === 'ok') {
      const winner = winners.get(ifWrite);
      if (winner !== undefined) {
        problems.push(
          `${documentOf(call)}: two winners for the version of ${ifWrite}: ${winner.w ?? winner.kind} and ${call.w ?? call.kind}.`,
        );
      }
      winners.set(ifWrite, call);
    }
  }
  return problems;
}
