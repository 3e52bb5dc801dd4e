/** What a recorded change did, as it is stored. */
export const CHANGE_KINDS = { create: 1, replace: 2, delete: 3, expire: 4 } as const;

/** One of {@link CHANGE_KINDS}. */
export type ChangeKind = (typeof CHANGE_KINDS)[keyof typeof CHANGE_KINDS];
