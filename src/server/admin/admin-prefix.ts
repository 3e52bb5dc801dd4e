/** All admin routes begin so. */
export const ADMIN_PREFIX = '/_perigee/';
