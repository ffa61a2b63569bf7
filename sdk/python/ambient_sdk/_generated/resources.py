class Resources:
    def __init__(self, transport): pass
