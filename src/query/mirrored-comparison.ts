/** What a comparison is when its sides change places: `2 < c.a` is `c.a > 2`. */
export const MIRRORED = { '=': '=', '!=': '!=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const;
