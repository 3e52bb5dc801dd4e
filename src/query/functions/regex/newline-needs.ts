import { unsupported } from './pattern-fault.ts';
import { canBeEmpty, type PatternNode } from './pattern-node.ts';
import type { NewlineForm } from './write-pattern.ts';

interface Findings {
  /** An anchor of lines is there. */
  lines: boolean;
  /** A line may begin where nothing follows. PCRE finds no line after a final newline, the engine does. */
  emptyLastLine: boolean;
  /** An end of the whole that passes over a final newline. */
  finalNewline: boolean;
  /** An end of the whole or of a line that something may follow. */
  endBeforeMore: boolean;
}

interface After {
  readonly mayBeNothing: boolean;
  readonly isNothing: boolean;
}

function look(node: PatternNode, after: After, findings: Findings): void {
  switch (node.kind) {
    case 'place':
      findings.lines ||= node.place === 'line-start' || node.place === 'line-end';
      findings.emptyLastLine ||= node.place === 'line-start' && after.mayBeNothing;
      findings.finalNewline ||= node.place === 'end-or-final-newline';
      findings.endBeforeMore ||= (node.place === 'end-or-final-newline' || node.place === 'line-end') && !after.isNothing;
      break;
    case 'group':
      look(node.body, after, findings);
      break;
    case 'repeat':
      look(node.body, node.most > 1 ? { ...after, isNothing: false } : after, findings);
      break;
    case 'choice':
      for (const option of node.options) {
        look(option, after, findings);
      }
      break;
    case 'sequence': {
      let { mayBeNothing, isNothing } = after;
      for (const item of node.items.toReversed()) {
        look(item, { mayBeNothing, isNothing }, findings);
        mayBeNothing &&= canBeEmpty(item);
        isNothing = false;
      }
      break;
    }
    default:
      break;
  }
}

/**
 * In which form a text that ends with a newline must be written for this pattern; all others are `plain`. The rules of PCRE for `$`, `\Z`
 * and `^` there are not those of the engine.
 */
export function newlineFormOf(node: PatternNode): NewlineForm {
  const findings: Findings = { lines: false, emptyLastLine: false, finalNewline: false, endBeforeMore: false };
  look(node, { mayBeNothing: true, isNothing: true }, findings);
  if (!findings.lines) {
    return findings.finalNewline ? 'marked-inner' : 'plain';
  }
  if (!findings.finalNewline && !findings.emptyLastLine) {
    return 'plain';
  }
  return findings.endBeforeMore
    ? unsupported('an end of the text or of a line before more of the pattern, beside a start of a line')
    : 'marked-final';
}
