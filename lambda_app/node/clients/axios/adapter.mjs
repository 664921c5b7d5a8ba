// axios: it makes JSON of what it is given, and throws for answers too.

export const dumps = (document) => document;

export const statusOf = (error) => error.response?.status;

export const codes = {
  ECONNABORTED: "timeout", // by default
  ERR_CANCELED: "timeout", // for a signal; AbortSignal.timeout's is the only one that there is
  ERR_BAD_RESPONSE: "ended", // for a body that ended too early
};
