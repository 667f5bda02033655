/**
 * Generated sites: their settings and files, and requests that tell them apart.
 */
import type { Files } from "./platform.ts"

/** A site. `paths` are requested, in the languages too. */
export interface GeneratedSite {
  readonly entry: { readonly [key: string]: unknown }
  readonly files: Files
}

const random = (seed: number) => () => {
  seed = (seed + 0x9e3779b9) | 0
  let hash = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  hash = (hash + Math.imul(hash ^ (hash >>> 7), 61 | hash)) ^ hash
  return ((hash ^ (hash >>> 14)) >>> 0) / 2 ** 32
}

const files: Files = {
  "index.html": "index",
  "about.html": "about",
  "404.html": "not found",
  "app.js": "js",
  "style.css": "css",
  "blog/index.html": "blog",
  "blog/first.html": "first",
  "docs/deep/page.html": "page",
  "docs/deep/.hidden": "hidden",
  "node_modules/left/pad.js": "pad",
  "images/a b.svg": "<svg/>",
  "build/app.js.map": "map",
  "lang/de/index.html": "Index",
  "lang/de/about.html": "Über",
  "lang/fr_ca/index.html": "indice",
  "same.js": "js"
}

export const paths: ReadonlyArray<string> = [
  "/",
  "/index.html",
  "/index",
  "/about",
  "/about.html",
  "/about/",
  "/app.js",
  "/style.css",
  "/same.js",
  "/blog",
  "/blog/",
  "/blog/index.html",
  "/blog/first",
  "/blog/first/",
  "/blog/second",
  "/docs/deep/page",
  "/docs/deep/page.html?x=1",
  "/old/7",
  "/old/7/8?y=2",
  "/re/abc/def",
  "/user/12",
  "/missing",
  "/missing/file.js",
  "/images/a%20b.svg",
  "/404.html"
]

const globs = [
  "**",
  "/**",
  "/old/:id",
  "/old/:rest*",
  "/blog/**",
  "**/*.@(js|css)",
  "/*.html",
  "/docs/*/page*",
  "!/@(old|re)/**",
  "/missing"
]
const regexes = ["^/re/(.*)$", "/user/[0-9]+", "^/old/([^/]+)$", ".*\\.js$", "^/blog/(first|second)$"]
const destinations = ["/index.html", "/about.html", "/blog/index.html", "/app.js", "/not-there.html"]
const locations = ["/about", "/blog/", "https://example.com/x", "/missing"]
const ignores = [
  "firebase.json",
  "**/.*",
  "**/node_modules/**",
  "**/*.map",
  "build/**",
  "lang/fr_ca/*",
  "*.css",
  "same.js"
]

/** The site of a seed. `name` becomes its folder. */
export const generated = (seed: number, name: string): GeneratedSite => {
  const next = random(seed)
  const one = <A>(all: ReadonlyArray<A>): A => all[Math.floor(next() * all.length)]!
  const maybe = <A>(make: () => A): A | undefined => (next() < 0.5 ? make() : undefined)
  const some = <A>(most: number, make: () => A): ReadonlyArray<A> =>
    Array.from({ length: 1 + Math.floor(next() * most) }, make)
  const pattern = () => {
    const kind = next()
    return kind < 0.5 ? { source: one(globs) } : kind < 0.6 ? { glob: one(globs) } : { regex: one(regexes) }
  }
  const redirect = () => {
    const rule = pattern()
    const type = maybe(() => one([301, 302, 303, 307, 308]))
    const captured = rule.source === "/old/:id" ? "/new/:id" : rule.source === "/old/:rest*" ? "/new/:rest*" : undefined
    const numbered = rule.regex === "^/re/(.*)$" || rule.regex === "^/old/([^/]+)$" ? "/to/:1" : undefined
    // A pattern that matches everything would hide all other rules.
    const narrow = rule.source === "**" || rule.source === "/**" || rule.glob === "**" ? { source: "/missing" } : rule
    return { ...narrow, destination: captured ?? numbered ?? one(locations), ...(type && { type }) }
  }
  const header = () => ({
    ...pattern(),
    headers: some(2, () => ({ key: one(["X-One", "X-Two", "Cache-Control"]), value: one(["a", "b", "max-age=60"]) }))
  })
  const options = {
    redirects: maybe(() => some(3, redirect)),
    headers: maybe(() => some(3, header)),
    rewrites: maybe(() => some(3, () => ({ ...pattern(), destination: one(destinations) }))),
    cleanUrls: maybe(() => next() < 0.7),
    trailingSlash: maybe(() => next() < 0.5),
    i18n: maybe(() => ({ root: "/lang" })),
    ignore: maybe(() => some(4, () => one(ignores)))
  }
  const set = Object.entries(options).filter(([, value]) => value !== undefined)
  return {
    entry: { public: `${name}/public`, ...Object.fromEntries(set) },
    files: Object.fromEntries(Object.entries(files).map(([path, text]) => [`${name}/public/${path}`, text]))
  }
}
