// got: it throws for answers too. Its errors have what node:http said as their cause.

export const statusOf = (error) => (error.name === "HTTPError" ? error.response.statusCode : undefined);

export const codes = {
  ERR_HTTP_CONTENT_LENGTH_MISMATCH: "ended", // a body that ended too early
};
