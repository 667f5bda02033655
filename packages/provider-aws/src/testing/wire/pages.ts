/**
 * Lists that are answered page by page.
 */
import { invalid } from "./AwsError.ts"

const encoded = (at: number): string => Buffer.from(`from ${at}`).toString("base64")

const decoded = (token: string): number => {
  const at = /^from (\d+)$/.exec(Buffer.from(token, "base64").toString())?.[1]
  if (at === undefined) throw invalid("The token or marker is not valid")
  return Number(at)
}

/**
 * A page of a list, and the token of the next one.
 *
 * *Details*: `size` is what the caller wants at most, and `most` what the service gives at most.
 */
export const pageOf = <A>(
  all: ReadonlyArray<A>,
  token: string | undefined,
  size: number | undefined,
  most: number
): { readonly items: Array<A>; readonly next: string | undefined } => {
  const from = token === undefined ? 0 : decoded(token)
  const to = from + Math.min(size ?? most, most)
  return { items: all.slice(from, to), next: to < all.length ? encoded(to) : undefined }
}
