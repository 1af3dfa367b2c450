/** `npm run test:deep`: the long variants of the generated tests. */
export const isDeep = process.env.DEEP !== undefined
