/** A module that is loaded when it is first needed. */
export class LazyModule<M> {
  readonly #importIt: () => Promise<M>;
  #loaded: M | undefined;
  #loading: Promise<M> | undefined;

  /** @param importIt calls `import()` */
  constructor(importIt: () => Promise<M>) {
    this.#importIt = importIt;
  }

  /** Gives the module, where somebody has loaded it already. */
  provide(module: M): void {
    this.#loaded = module;
    this.#loading = Promise.resolve(module);
  }

  /** The module once it is loaded, so that nobody has to wait for it any more. */
  get loaded(): M | undefined {
    return this.#loaded;
  }

  /** Loads it, once for all who ask. Where that fails, the next call tries again. */
  load(): Promise<M> {
    this.#loading ??= this.#importIt().then(
      (loaded) => {
        this.#loaded = loaded;
        return loaded;
      },
      (error: unknown) => {
        this.#loading = undefined;
        throw error;
      },
    );
    return this.#loading;
  }
}
