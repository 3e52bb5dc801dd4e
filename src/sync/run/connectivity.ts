import type { Unsubscribe } from '../../core/emitter.ts';

/** Tells the scheduler whether there is a connection at all, so that it does not try without. */
export interface Connectivity {
  /** Whether requests have any chance. */
  isOnline(): boolean;
  /** Calls `listener` whenever {@link isOnline} may answer otherwise, or the connection is another one. */
  onChange(listener: () => void): Unsubscribe;
}

/** The part of a window, or of a worker's global scope, that {@link browserConnectivity} uses. */
export interface OnlineScope {
  readonly navigator?: { readonly onLine?: boolean | undefined } | undefined;
  addEventListener(type: 'online' | 'offline', listener: () => void): void;
  removeEventListener(type: 'online' | 'offline', listener: () => void): void;
}

/**
 * What a browser, a web view or a worker knows of its connection: `navigator.onLine` and the events `online` and `offline`. It knows when there is no
 * network; that there is one does not mean that the remote can be reached.
 *
 * @param scope the window, unless said otherwise
 *
 * @example
 * ```ts
 * import { browserConnectivity } from 'perigee/sync';
 *
 * const page = Object.assign(new EventTarget(), { navigator: { onLine: true } }); // in a page: window
 * const connectivity = browserConnectivity(page);
 * connectivity.onChange(() => console.log('online:', connectivity.isOnline())); // -> online: false
 * page.navigator.onLine = false;
 * page.dispatchEvent(new Event('offline'));
 * ```
 */
export function browserConnectivity(scope: OnlineScope = globalThis as unknown as OnlineScope): Connectivity {
  return {
    isOnline: () => scope.navigator?.onLine !== false,
    onChange(listener) {
      scope.addEventListener('online', listener);
      scope.addEventListener('offline', listener);
      return () => {
        scope.removeEventListener('online', listener);
        scope.removeEventListener('offline', listener);
      };
    },
  };
}
