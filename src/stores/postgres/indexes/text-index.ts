import { FunctionIndexKind } from './path-index.ts';
import { TEXT_WORDS } from './text-words.ts';

/** Indexes over the words of texts. They do not depend on the language, of which only those know who look words up. */
export const FULL_TEXT: FunctionIndexKind = new FunctionIndexKind('full-text', { function: TEXT_WORDS, access: 'gin', label: 'full text' });
