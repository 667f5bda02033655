export const install: () => string
