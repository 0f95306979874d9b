--- Error objects of a venue's calls, made the same way for every venue.
local errors = require "smc.error"

local M = {}

local MOST_SECONDS = 1e9

--- How long to wait, where that is a time: what a broken venue sends may be none.
local function time_of(seconds)
  return seconds and seconds >= 0 and seconds <= MOST_SECONDS and seconds or nil
end

--- The constructors for a venue.  classify(http, code, message, mutation, cause) -> class, retryable.
function M.of(venue, classify)
  local out = {}

  --- The error object for an answer.  answer: { http, code, message, retry_after }, and the cause inside it
  -- where the venue names one.
  function out.answered(answer, op, mutation)
    local class, retryable = classify(answer.http, answer.code, answer.message, mutation, answer.cause)
    return errors.new { class = class, code = answer.code, message = answer.message, http = answer.http,
      retryable = retryable, retry_after = time_of(answer.retry_after), venue = venue, op = op }
  end

  --- The error object for a request that got no answer.  err: what smc.core.http said.
  function out.unanswered(err, op, mutation)
    local class, retryable = err.class, err.retryable
    if mutation and err.sent then
      class, retryable = "unknown_outcome", false
    elseif class == "network" or class == "timeout" then
      retryable = true -- a question, or something that was never sent
    end
    return errors.new { class = class, code = err.code, message = err.message, retryable = retryable, venue = venue,
      op = op, sent = err.sent }
  end

  --- An answer that is not what the protocol promises.
  function out.broken(op, message, http, mutation)
    return errors.new { class = mutation and "unknown_outcome" or "protocol", message = message, http = http,
      venue = venue, op = op }
  end

  return out
end

return M
