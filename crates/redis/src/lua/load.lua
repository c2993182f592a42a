return full('row')
