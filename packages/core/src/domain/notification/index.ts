export * from "./Kinds.ts"
export * from "./Message.ts"
export * from "./Routes.ts"
export { noticesOf, type Notice, type NoticeContext, notableTags, stillTrue } from "./notices.ts"
