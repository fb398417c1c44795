"""The act of reading: a scan becomes pages, a page a picture, a picture an answer, an answer a verdict."""
