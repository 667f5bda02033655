/** The largest forwarded head, in either direction. An application may accept less. */
export const headMax = 1 << 20
