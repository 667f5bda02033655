/** The largest head that is passed on, either way. What an application accepts of it, it says itself. */
export const headMax = 1 << 20
