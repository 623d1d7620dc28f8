def unicode(s): return s
