import { appendFileSync, chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

const MAX_LINES = 1000;

/** The folder for what programs remember of a user: XDG_STATE_HOME, LOCALAPPDATA on Windows, `~/.local/state` otherwise. */
function stateFolder(): string {
  const { XDG_STATE_HOME: state, LOCALAPPDATA: windows } = process.env;
  if (state !== undefined && state.startsWith('/')) {
    return state;
  }
  return process.platform === 'win32' && windows !== undefined ? windows : join(homedir(), '.local', 'state');
}

/**
 * Lines typed at the prompt, kept for later sessions in a file that only the user reads: queries may hold what nobody else should see. Lines that
 * begin with a blank are not kept. Where the file cannot be read or written, the prompt goes on without it.
 */
export class PromptHistory {
  readonly path: string;
  #isWritable = true;

  constructor(path: string = join(stateFolder(), 'perigee', 'query-history')) {
    this.path = path;
  }

  /** The newest lines, newest first. */
  load(): string[] {
    let lines: readonly string[];
    try {
      lines = readFileSync(this.path, 'utf8')
        .split('\n')
        .filter((line) => line !== '');
    } catch {
      return [];
    }
    if (lines.length > 2 * MAX_LINES) {
      this.#write(() => writeFileSync(this.path, `${lines.slice(-MAX_LINES).join('\n')}\n`, { mode: 0o600 }));
    }
    return lines.slice(-MAX_LINES).toReversed();
  }

  add(line: string): void {
    if (line.trim() === '' || line.startsWith(' ')) {
      return;
    }
    this.#write(() => {
      mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
      appendFileSync(this.path, `${line.replaceAll('\n', ' ')}\n`, { mode: 0o600 });
      // The mode above counts for a new file only.
      chmodSync(this.path, 0o600);
    });
  }

  #write(work: () => void): void {
    if (!this.#isWritable) {
      return;
    }
    try {
      work();
    } catch {
      this.#isWritable = false;
    }
  }
}
