/** A file of `dist`, its own name and those that it imports relative to that folder; `modules` are sources, relative to `src`. */
export interface BundledFile {
  readonly fileName: string;
  readonly imports: readonly string[];
  readonly modules: readonly string[];
}

export declare function bundle(folder: string): Promise<readonly BundledFile[]>;
