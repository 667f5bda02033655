import { words } from "./words.ts"

/** What a lease is held for, in words. */
export const purposeText = (
  purpose: { readonly kind: string; readonly by?: string | undefined } | undefined
): string => {
  if (purpose === undefined) return "unknown"
  const { by, kind } = purpose
  return by === undefined ? words(kind) : `${words(kind)} by ${by}`
}
