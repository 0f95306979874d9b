--- What a scenario gets from `require "smc"`.
return {}
